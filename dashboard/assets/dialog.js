// Opens and closes <dialog data-open="true|false">. Escape presses the first action, which keeps things as they are, so
// that the server learns of it; the browser itself holds the focus inside and gives it back to the opener.
(() => {
  const wired = new WeakSet(), openers = new Map();
  const sync = (dialog) => {
    if (!wired.has(dialog)) {
      wired.add(dialog);
      dialog.addEventListener("cancel", (event) => { event.preventDefault(); dialog.querySelector(".lf-dialog-actions button")?.click(); });
    }
    const open = dialog.dataset.open === "true";
    if (open && !dialog.open) { openers.set(dialog, document.activeElement); dialog.showModal(); dialog.querySelector(".lf-dialog-actions button")?.focus({ focusVisible: true }); }
    if (!open && dialog.open) dialog.close();
  };
  // A dialog that is taken out of the page instead of being closed gives the focus back too.
  const giveBack = () => {
    for (const [dialog, opener] of openers) {
      if (dialog.isConnected) continue;
      openers.delete(dialog);
      if (opener?.isConnected && document.activeElement === document.body) opener.focus();
    }
  };
  new MutationObserver(() => { document.querySelectorAll("dialog[data-open]").forEach(sync); giveBack(); })
    .observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-open"] });
})();
