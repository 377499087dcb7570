// Saving looks done at once: the list shows the new value while the answer is on its way, and takes it back when it
// fails. What is shown early is an attribute that the stylesheet writes out, so it never mixes with what Dash draws.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.lakefront = window.dash_clientside.lakefront || {};
(() => {
  const page = () => document.getElementById("lakebase");
  const form = () => page()?.querySelector("[data-draft]");
  const row = (key) => page()?.querySelector(`.lf-list button[data-key="${CSS.escape(key)}"]`);
  const takeBack = () => {
    for (const shown of document.querySelectorAll("[data-early]")) shown.removeAttribute("data-early");
    document.querySelectorAll("[data-saving]").forEach((one) => one.removeAttribute("data-saving"));
  };
  const show = () => {
    const shown = form(), key = document.getElementById("lakebase-key")?.value.trim();
    if (!shown || !key) return;
    takeBack();
    const text = document.getElementById("lakebase-text").value.replace(/\s+/g, " ").slice(0, 60);
    shown.dataset.saving = "true";
    const place = row(key);
    if (place) place.dataset.early = text;
    else document.getElementById("lakebase-list").dataset.early = `${key}\n${text}`;
  };
  // After the check of the JSON box has let the click through (assets/json_editor.js stops it otherwise).
  document.addEventListener("click", (event) => {
    if (event.target.closest("#lakebase-save, #lakebase-try-now")) show();
  });
  window.dash_clientside.lakefront.saveOutcome = (outcome) => {
    if (outcome) {
      if (!outcome.saved) takeBack();
      const shown = form();
      if (shown) shown.dataset.failed = String(!outcome.saved);
    }
    return window.dash_clientside.no_update;
  };
  window.dash_clientside.lakefront.markChosen = (chosen) => {
    const shown = form();
    if (shown) shown.dataset.failed = "false";
    page()?.querySelectorAll(".lf-list [aria-current]").forEach((one) => one.removeAttribute("aria-current"));
    if (chosen?.key) row(chosen.key)?.setAttribute("aria-current", "true");
    return window.dash_clientside.no_update;
  };
  window.dash_clientside.lakefront.listArrived = () => { setTimeout(takeBack, 0); return window.dash_clientside.no_update; };
})();
