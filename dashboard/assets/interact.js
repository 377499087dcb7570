// Small manners that need no server: copying, opening a statement, the popover, moving in tabs, toasts that go away.
(() => {
  const say = (button, words) => {
    const label = button.querySelector("span") ?? button, before = button.dataset.label ?? label.textContent;
    button.dataset.label = before;
    if (label.classList.contains("visually-hidden")) button.title = words; else label.textContent = words;
    setTimeout(() => { if (label.classList.contains("visually-hidden")) button.title = before; else label.textContent = before; }, 2000);
  };
  const copy = async (button) => {
    const text = button.dataset.copy || button.parentElement.querySelector("code, pre, textarea")?.textContent || "";
    try { await navigator.clipboard.writeText(text); say(button, "Copied"); }
    catch {   // plain http on another machine has no clipboard: the old way
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area); area.select();
      say(button, document.execCommand("copy") ? "Copied" : "Not copied");
      area.remove(); button.focus();
    }
  };
  const setOpen = (button, open) => {
    button.setAttribute("aria-expanded", String(open));
    const panel = document.getElementById(button.dataset.toggle);
    if (panel) panel.hidden = !open;
  };
  // The button to go back to: one that stands in another menu is gone with it, so that menu's own.
  const outermost = (button) => { const menu = button.parentElement.closest(".lf-pop"); return menu ? document.querySelector(`[data-pop="${menu.id}"]`) : button; };
  const openPops = () => document.querySelectorAll("[data-pop][aria-expanded=true]");

  document.addEventListener("click", (event) => {
    const target = event.target;
    const copier = target.closest("button[data-copy]"); if (copier) copy(copier);
    const toggle = target.closest("button[data-toggle]");
    if (toggle) setOpen(toggle, toggle.getAttribute("aria-expanded") !== "true");
    if (toggle?.dataset.pop && outermost(toggle) !== toggle) {
      setOpen(outermost(toggle), false);
      document.getElementById(toggle.dataset.pop).querySelector("input, button, a")?.focus();
    }
    for (const other of openPops()) if (other !== toggle && !target.closest(".lf-pop")) setOpen(other, false);
    const toast = target.closest(".lf-toast");
    if (toast && target.closest("button")) { toast.dataset.gone = toast.dataset.expires; toast.classList.add("gone"); }
    if (target.closest(".skip")) { event.preventDefault(); document.getElementById("main").focus(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const opener of openPops()) { setOpen(opener, false); outermost(opener).focus(); event.stopPropagation(); }
    const tab = event.target.closest?.("[role=tab]");
    if (tab) {
      const all = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")], at = all.indexOf(tab);
      const to = { ArrowRight: all[(at + 1) % all.length], ArrowLeft: all.at(at - 1), Home: all[0], End: all.at(-1) }[event.key];
      if (to) { event.preventDefault(); all.forEach((x) => (x.tabIndex = x === to ? 0 : -1)); to.focus(); }
    }
    const row = event.target.closest?.(".lf-list button");
    if (row && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const all = [...row.closest(".lf-list").querySelectorAll("button")];
      event.preventDefault();
      all[all.indexOf(row) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.target.matches?.("input.form-control"))) {
      const form = event.target.closest?.("[data-submit]");
      if (form) { event.preventDefault(); document.getElementById(form.dataset.submit)?.click(); }
    }
    if (event.key === "Escape" && !event.defaultPrevented) {
      const form = event.target.closest?.("[data-leave]");
      if (form && !document.querySelector("dialog[open]")) {
        event.preventDefault();   // or the same key would close the question that it asks
        document.getElementById(form.dataset.leave)?.click();
      }
    }
  });
})();
