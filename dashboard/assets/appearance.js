// The theme, in step with the person's own record (dashboard/appearance.py): what is saved is shown at once, and what the
// button in the top bar chooses is handed over to be saved. assets/theme.js does the showing.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.lakefront = window.dash_clientside.lakefront || {};
window.dash_clientside.lakefront.applyTheme = (text) => {
  if (text) window.lakefront.setTheme(JSON.parse(text));
  return window.dash_clientside.no_update;
};
window.dash_clientside.lakefront.toggleTheme = (presses) => {
  if (!presses) return window.dash_clientside.no_update;
  const theme = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  window.lakefront.setTheme(theme);
  return theme;
};
