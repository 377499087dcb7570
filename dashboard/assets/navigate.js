// Going from page to page without loading the app again. Links stay plain <a href>, so that they work with the middle
// button, in new tabs and for screen readers; this script only takes over the plain click. After a change of page the
// title changes and the focus goes to the content.
(() => {
  const pages = new Set(["/", "/unity-catalog", "/lakebase", "/model-serving", "/status"]);
  const changed = () => document.querySelector("[data-dirty=true]");
  let leaving = null, here = location.href;

  const go = (href, push = true) => {
    if (push) history.pushState({}, "", href);
    here = location.href;
    dispatchEvent(new CustomEvent("_dashprivate_pushstate"));   // what dcc.Location listens to, as dcc.Link does
  };
  // Unsaved text asks first. The dialog is drawn by the shell; its "Leave" button ends here.
  const ask = (href) => { leaving = href; document.getElementById("leave-dialog").dataset.open = "true"; };
  document.addEventListener("click", (event) => {
    if (event.target.closest("#leave-stay")) { leaving = null; document.getElementById("leave-dialog").dataset.open = "false"; return; }
    if (event.target.closest("#leave-go")) {
      changed()?.setAttribute("data-dirty", "false");
      document.getElementById("leave-dialog").dataset.open = "false";
      if (leaving) go(leaving);
      leaving = null;
      return;
    }
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.target) return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || !pages.has(to.pathname)) return;
    event.preventDefault();
    if (to.href === location.href) return;
    if (changed()) ask(to.href); else go(to.href);
  });
  addEventListener("popstate", (event) => {
    if (!changed()) { here = location.href; return; }
    event.stopImmediatePropagation();
    const to = location.href;
    history.pushState({}, "", here);
    ask(to);
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
