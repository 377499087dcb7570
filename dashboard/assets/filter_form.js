// Forms at the chips: the focus goes in when one opens and back to its opener when it closes. Delete removes a chip. What
// is drawn anew meanwhile takes the focus with it, so it is given back for a moment, while it is nowhere.
(() => {
  const opens = "#uc-filter-add, #uc-save-view, #uc-save-view-more, .lf-chip > button:first-child";
  let opener = "#uc-filter-add", form = null, want = null, until = 0;
  const nowhere = () => !document.activeElement || document.activeElement === document.body;
  const chips = () => [...document.querySelectorAll(".lf-chip")];
  const later = (find) => { want = find; until = Date.now() + 1500; };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(opens), chip = event.target.closest?.(".lf-chip");
    if (button) { const at = chips().indexOf(chip); opener = at < 0 ? `#${button.id}` : at; }
    if (chip && event.target.closest("button")?.matches(".lf-chip > button + button")) { const at = chips().indexOf(chip); later(() => chips()[at]?.querySelector("button")); }
    else if (!event.target.closest?.(".lf-filter-form")) want = null;
  }, true);
  document.addEventListener("keydown", (event) => {
    const chip = event.target.closest?.(".lf-chip");
    if (event.key === "Delete" && chip) { const at = chips().indexOf(chip); chip.querySelectorAll("button")[1].click(); later(() => chips()[at]?.querySelector("button")); }
    if (event.key === "Tab") want = null;
  });
  const look = () => {
    const now = document.querySelector(".lf-filter-form");
    if (now && now !== form) {
      form = now;
      const value = now.querySelector("#uc-filter-value:not([type=hidden]), #uc-save-name");
      const first = opener === "#uc-filter-add" ? now.querySelector("select") : value;
      (first ?? now.querySelector("select, input"))?.focus();
      if (first === value) value?.select?.();
    }
    if (!now && form) { form = null; const back = opener; later(() => (typeof back === "number" ? chips()[back]?.querySelector("button") : document.querySelector(back))); }
    if (want && Date.now() > until) want = null;
    if (want && nowhere()) { const to = want(); (to?.checkVisibility() ? to : document.getElementById("uc-filter-add"))?.focus(); }
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
})();
