// The guides: a narrow screen chooses one in a select; an address with an anchor is followed once the text is drawn.
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  guides: { open: (path) => (path && path !== location.pathname ? path : window.dash_clientside.no_update) },
});
(() => {
  let reached = null;
  new MutationObserver(() => {
    const place = location.pathname + location.hash;
    if (place === reached || !location.hash.startsWith("#guide-")) return;
    const section = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!section) return;
    reached = place;
    requestAnimationFrame(() => section.scrollIntoView());   // after navigate.js has given the focus to the page
  }).observe(document.documentElement, { childList: true, subtree: true });
  addEventListener("popstate", () => { reached = null; });
})();
