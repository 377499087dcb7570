// Plotly figures follow the theme: the server draws with the light template, this script lays the template of the chosen
// theme over each figure, when it appears and when the theme changes. The templates come from dashboard/components/charts.py.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.lakefront = window.dash_clientside.lakefront || {};
(() => {
  let templates = null;
  const theme = () => document.documentElement.dataset.bsTheme;
  const lay = () => {
    if (!templates || !window.Plotly) return;
    for (const figure of document.querySelectorAll(".js-plotly-plot")) {
      if (figure.dataset.theme === theme() && figure.layout?.template?.layout?.colorway?.[0] === templates[theme()].layout.colorway[0]) continue;
      figure.dataset.theme = theme();
      window.Plotly.relayout(figure, { template: { layout: templates[theme()].layout } });
    }
  };
  document.documentElement.addEventListener("lakefront:theme", lay);
  new MutationObserver(lay).observe(document.documentElement, { childList: true, subtree: true });
  window.dash_clientside.lakefront.keepTemplates = (data) => { templates = data; lay(); return window.dash_clientside.no_update; };
})();
// "Save picture": the chart as the person sees it, on the ground of the page.
window.dash_clientside.charts = {
  picture: (pressed) => {
    const figure = document.querySelector("#uc-chart .js-plotly-plot");
    if (pressed && figure) window.Plotly.downloadImage(figure, { format: "png", scale: 2, filename: "lakefront-chart", width: figure.clientWidth, height: figure.clientHeight });
    return window.dash_clientside.no_update;
  },
};
