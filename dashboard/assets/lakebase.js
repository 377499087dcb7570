// Saving looks done at once: the list shows the new value while the answer is on its way, and takes it back when it
// fails. What is shown early is an attribute that the stylesheet writes out, so it never mixes with what Dash draws.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.lakefront = window.dash_clientside.lakefront || {};
(() => {
  let goal = null;   // where the focus goes once what is on its way has arrived
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
    const had = document.activeElement;
    if (shown.contains(had) && had.id) goal = { after: had.id, caret: had.selectionStart ?? null, until: Date.now() + 15000 };
    const text = document.getElementById("lakebase-text").value.replace(/\s+/g, " ").slice(0, 60);
    shown.dataset.saving = "true";
    const place = row(key);
    if (place) { place.querySelector(".l2").dataset.early = text; place.querySelector(".when").dataset.early = "saving\u2026"; }
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
    const rows = [...document.querySelectorAll(".lf-list button")], current = rows.findIndex((one) => one.hasAttribute("aria-current"));
    const saved = goal && "after" in goal && chosen && !chosen.new;   // the same record goes on: so does the focus
    if (saved) goal.until = Date.now() + 2000;
    else goal = chosen ? { form: chosen.new ? "" : chosen.key, by: keyboard } : { row: was, place: current, until: Date.now() + 3000 };
    was = chosen?.key ?? was;
    rows[current]?.removeAttribute("aria-current");
    if (chosen?.key) row(chosen.key)?.setAttribute("aria-current", "true");
    settle();
    return window.dash_clientside.no_update;
  };

  // The focus goes where the eye goes: Enter on a row leads into its form, leaving a form back to its row, Delete on a row
  // opens it and asks; when the row is gone the one in its place takes the focus, else "New".
  let keyboard = false, was = null, doomed = null;
  for (const [kind, by] of [["keydown", true], ["pointerdown", false]]) document.addEventListener(kind, () => (keyboard = by), true);
  const lost = () => document.activeElement === document.body || !document.activeElement;
  const isFormOf = (key) => form() && document.getElementById("lakebase-key")?.value === key;
  const settle = () => {
    if (!page()) { goal = doomed = null; return; }
    if (doomed && isFormOf(doomed)) { doomed = null; goal = null; page().querySelector("[data-deletes-record]").click(); return; }
    if (!goal) return;
    if ("form" in goal) {
      if (doomed || !isFormOf(goal.form)) return;
      const first = form().querySelector(goal.form ? "[data-typed]:not([hidden]) :is(select, input), .lf-in-words:not([hidden]) a, [data-json]:not([hidden]) textarea" : "#lakebase-key");
      if (goal.by) first?.focus();
      goal = null;
    } else if (Date.now() > goal.until) goal = null;
    else if ("after" in goal) {
      const had = form() && lost() ? document.getElementById(goal.after) : null;
      had?.focus();
      if (had && goal.caret !== null) had.setSelectionRange?.(goal.caret, goal.caret);
    } else if (!form() && lost()) {
      const rows = [...page().querySelectorAll(".lf-list button")];
      (row(goal.row ?? "") ?? rows[Math.min(Math.max(goal.place, 0), rows.length - 1)] ?? document.getElementById("lakebase-new"))?.focus();
    }
  };
  new MutationObserver(settle).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("keydown", (event) => {
    const chosen = event.key === "Delete" && event.target.closest?.(".lf-list button[data-key]");
    if (!chosen || !page()) return;
    event.preventDefault();
    doomed = chosen.dataset.key;
    setTimeout(() => (doomed = null), 3000);
    if (chosen.hasAttribute("aria-current") && form()) settle(); else chosen.click();
  });
  window.dash_clientside.lakefront.listArrived = () => { setTimeout(takeBack, 0); return window.dash_clientside.no_update; };
})();
