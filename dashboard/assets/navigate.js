// Going from page to page without loading the app again. Links stay plain <a href>, so that they work with the middle
// button, in new tabs and for screen readers; this script only takes over the plain click. After a change of page the
// title changes and the focus goes to the content.
(() => {
  const pages = new Set(["/", "/unity-catalog", "/lakebase", "/model-serving", "/status", "/guides"]);
  const isPage = (path) => pages.has(path) || (path.startsWith("/guides/") && !path.startsWith("/guides/images/"));
  const changed = () => document.querySelector("[data-dirty=true]");
  let leaving = null, here = location.href;

  const go = (href, push = true) => {
    if (push) history.pushState({}, "", href);
    here = location.href;
    dispatchEvent(new CustomEvent("_dashprivate_pushstate"));   // what dcc.Location listens to, as dcc.Link does
  };
  // Unsaved text asks first. The dialog is drawn by the shell; its "Leave" button ends here.
  const ask = (how) => { leaving = how; document.getElementById("leave-dialog").dataset.open = "true"; };
  document.addEventListener("click", (event) => {
    if (event.target.closest("#leave-stay")) { leaving = null; document.getElementById("leave-dialog").dataset.open = "false"; return; }
    if (event.target.closest("#leave-go")) {
      const form = changed();
      if (form) { form.dataset.dirty = "false"; try { for (const end of ["", "#key"]) localStorage.removeItem(`lakefront.draft.${form.dataset.draft}${end}`); } catch { /* nothing was kept */ } }
      document.getElementById("leave-dialog").dataset.open = "false";
      if (leaving) leaving();
      leaving = null;
      return;
    }
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target) return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || !isPage(to.pathname)) return;
    if (to.hash && to.pathname + to.search === location.pathname + location.search) return;   // a place in this page
    event.preventDefault();
    if (to.href === location.href) return;
    if (changed()) ask(() => go(to.href)); else go(to.href);
  });
  // Another record, tab or Cancel in the panel of a changed form leaves it too. Caught before Dash sees the click.
  document.addEventListener("click", (event) => {
    const form = changed(), leaver = event.target.closest("[role=tab], .lf-list button, [data-leaves-form]");
    if (!form || !leaver || leaver.closest(".lf-panel") !== form.closest(".lf-panel")) return;
    event.stopPropagation(); event.preventDefault();
    ask(() => leaver.click());
  }, true);
  addEventListener("popstate", (event) => {
    if (!changed()) { here = location.href; return; }
    event.stopImmediatePropagation();
    const to = location.href;
    history.pushState({}, "", here);
    ask(() => go(to));
  }, true);
  addEventListener("beforeunload", (event) => { if (changed()) event.preventDefault(); });

  let shown = null;
  new MutationObserver(() => {
    const page = document.querySelector("#main > [data-page]");
    if (!page || page.dataset.page === shown) return;
    document.title = page.dataset.title;
    if (shown !== null) { const main = document.getElementById("main"); main.scrollTop = 0; main.focus(); }
    shown = page.dataset.page;
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-page"] });
})();
