// Forms at the chips: the focus goes in when one opens and back to its opener when it closes. Delete removes a chip. What
// is drawn anew meanwhile takes the focus with it, so it is given back for a moment, while it is nowhere.
(() => {
  const opens = "#uc-filter-add, #uc-save-view, #uc-save-view-more, .lf-chip > button:first-child";
  const values = "#uc-filter-value, #uc-filter-to, #uc-filter-find, .lf-set-list input, #uc-filter-list, #uc-save-name";
  let opener = "#uc-filter-add", form = null, want = null, until = 0, arriving = false, said = "", asked = "";
  const nowhere = () => !document.activeElement || document.activeElement === document.body;
  const chips = () => [...document.querySelectorAll(".lf-chip")];
  const later = (find) => { want = find; until = Date.now() + 1500; };
  const seen = (selector) => [...form.querySelectorAll(selector)].find((one) => one.checkVisibility());
  const boxes = () => [...document.querySelectorAll(".lf-set-list .form-check:not([hidden]) input")];

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(opens), chip = event.target.closest?.(".lf-chip");
    if (button) { const at = chips().indexOf(chip); opener = at < 0 ? `#${button.id}` : at; }
    if (chip && event.target.closest("button")?.matches(".lf-chip > button + button")) { const at = chips().indexOf(chip); later(() => chips()[at]?.querySelector("button")); }
    else if (!event.target.closest?.(".lf-filter-form")) want = null;
    const operator = event.target.closest?.(".lf-filter-form [data-operator]")?.dataset.operator;
    if (operator) { window.dash_clientside.set_props("uc-filter-operator", { value: operator }); document.getElementById("uc-filter-operator").focus(); }
  }, true);

  document.addEventListener("keydown", (event) => {
    const chip = event.target.closest?.(".lf-chip");
    if (event.key === "Delete" && chip) { const at = chips().indexOf(chip); chip.querySelectorAll("button")[1].click(); later(() => chips()[at]?.querySelector("button")); }
    if (event.key === "Tab") want = null;
    const box = event.target.closest?.(".lf-set-list input"), finding = event.target.id === "uc-filter-find";
    if (box && event.key === "Enter") { event.preventDefault(); document.getElementById("uc-filter-apply").click(); }
    if ((box && /^(Arrow(Up|Down)|Home|End)$/.test(event.key)) || (finding && event.key === "ArrowDown")) {
      const all = boxes(), at = all.indexOf(box);
      const to = { ArrowDown: all[at + 1], ArrowUp: all[at - 1] ?? document.getElementById("uc-filter-find"), Home: all[0], End: all.at(-1) }[event.key];
      event.preventDefault();
      to?.focus();
    }
  });
  // One Tab stop for all the boxes, the one that had the focus last: fifty of them would stand before the buttons.
  const stop = (box) => { for (const one of document.querySelectorAll(".lf-set-list input")) one.tabIndex = one === box ? 0 : -1; };
  document.addEventListener("focusin", (event) => { if (event.target.matches?.(".lf-set-list input")) stop(event.target); });
  document.addEventListener("input", (event) => {
    if (event.target.id !== "uc-filter-find") return;
    const text = event.target.value.trim().toLowerCase(), all = [...document.querySelectorAll(".lf-set-list .form-check")];
    for (const one of all) one.hidden = !one.querySelector(".v").textContent.toLowerCase().includes(text);
    document.querySelector(".lf-set-none").hidden = boxes().length > 0;
    stop(boxes()[0]);
  });

  // The form ends above the foot of the window, what does not fit scrolls inside it; in a low window it begins higher.
  const fit = () => {
    if (!form?.isConnected) return;
    form.style.setProperty("--lift", "0px");
    const foot = document.querySelector(".lf-nav")?.getBoundingClientRect(), top = form.getBoundingClientRect().top;
    const room = (foot && foot.width > foot.height ? foot.top : innerHeight) - top - 8, head = form.closest(".lf-work")?.getBoundingClientRect().top ?? 0;
    const lift = Math.max(0, Math.min(420 - room, top - head - 8));
    form.style.setProperty("--room", `${room + lift}px`);
    form.style.setProperty("--lift", `${-lift}px`);
  };
  addEventListener("resize", fit);

  // A statement that the form waits for and nobody any more: the form was closed, or wants another column's values.
  const abandon = () => {
    const now = document.querySelector(".lf-filter-form [data-asks]")?.dataset.asks ?? "";
    if (asked && asked !== now && !document.querySelector(`[data-answers="${asked}"]`) && document.getElementById("uc-page"))
      window.dash_clientside.set_props("uc-cancelled", { data: { key: asked, by: "moved", at: Date.now() } });
    asked = now;
  };

  const enter = () => {
    const value = seen(values), waits = seen("[data-asks]:not([data-asks=''])");
    const first = opener === "#uc-filter-add" ? form.querySelector("select") : waits ? form : value;
    arriving = first === form;
    (first ?? seen("#uc-filter-operator") ?? form.querySelector("select, input"))?.focus();
    if (first === value) value?.select?.();
  };
  const look = () => {
    const now = document.querySelector(".lf-filter-form");
    if (now && now !== form) { form = now; fit(); enter(); }
    if (!now && form) { form = null; const back = opener; later(() => (typeof back === "number" ? chips()[back]?.querySelector("button") : document.querySelector(back))); }
    abandon();
    if (form && boxes().length && !boxes().some((one) => one.tabIndex === 0 && one.getAttribute("tabindex"))) stop(boxes()[0]);
    if (form && arriving && seen(values)) { arriving = false; if (document.activeElement === form || nowhere()) seen(values).focus(); }
    const problem = form && seen(".invalid-feedback[data-at]");
    if (problem && problem.dataset.at !== said) { said = problem.dataset.at; [...problem.closest(".lf-field").querySelectorAll("input, select, textarea")].find((one) => one.checkVisibility())?.focus(); }
    if (want && Date.now() > until) want = null;
    if (want && nowhere()) { const to = want(); (to?.checkVisibility() ? to : document.getElementById("uc-filter-add"))?.focus(); }
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["data-at"] });
})();
