// Runs in <head>, before the first paint, so that a dark page never flashes white: the index page names it itself, the
// other scripts follow after the body. The choice is kept in this browser; without one, the system's is followed.
window.lakefront = {};
(() => {
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem("lakefront.theme"); } catch { /* storage refused: the system's theme it is */ }
  const show = () => {
    const theme = ["light", "dark"].includes(chosen) ? chosen : system.matches ? "dark" : "light";
    root.dataset.bsTheme = theme;
    root.dataset.agThemeMode = theme;
    root.dispatchEvent(new CustomEvent("lakefront:theme", { detail: theme }));
  };
  window.lakefront.setTheme = (theme) => {
    chosen = theme;
    try { localStorage.setItem("lakefront.theme", theme); } catch { /* for this page only */ }
    show();
  };
  system.addEventListener("change", show);
  show();
})();
