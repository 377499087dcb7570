// Keys of the catalog tree (WAI-ARIA tree pattern): one tab stop; arrows, Home, End, letters move; Right and Left open
// and close; Enter opens a table, and tries again what failed.
(() => {
  const shown = (tree) => [...tree.querySelectorAll("[role=treeitem]")];
  const line = (item) => item.querySelector(":scope > .r");   // none in an item that only says something
  let held = null, until = 0;
  const go = (tree, item) => {
    if (!item) return;
    tree.querySelectorAll("[role=treeitem]").forEach((x) => (x.tabIndex = x === item ? 0 : -1));
    item.focus();
    held = line(item)?.id; until = Date.now() + 3000;
  };
  // a level that opens is drawn anew with the whole tree: the line that had the focus has it again
  new MutationObserver(() => {
    if (!held || Date.now() > until || (document.activeElement && document.activeElement !== document.body)) return;
    const item = document.getElementById(held)?.parentElement;
    if (item?.checkVisibility()) go(item.closest("[role=tree]"), item);
  }).observe(document.documentElement, { childList: true, subtree: true });
  const press = (item) => (line(item) ?? item.querySelector("button"))?.click();
  document.addEventListener("keydown", (event) => {
    const item = event.target.closest?.("[role=treeitem]"), tree = item?.closest("[role=tree]");
    if (!tree || event.target !== item || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = shown(tree), at = all.indexOf(item), open = item.getAttribute("aria-expanded");
    const act = {
      ArrowDown: () => go(tree, all[at + 1]), ArrowUp: () => go(tree, all[at - 1]), Home: () => go(tree, all[0]), End: () => go(tree, all.at(-1)),
      ArrowRight: () => (open === "false" ? press(item) : open === "true" && go(tree, all[at + 1])),
      ArrowLeft: () => (open === "true" ? press(item) : go(tree, item.parentElement.closest("[role=treeitem]"))),
      Enter: () => press(item), " ": () => press(item),
    }[event.key];
    if (act) { event.preventDefault(); act(); return; }
    if (event.key.length === 1) {
      const letter = event.key.toLowerCase(), after = [...all.slice(at + 1), ...all.slice(0, at)];
      go(tree, after.find((x) => (line(x) ?? x).textContent.trim().toLowerCase().startsWith(letter)));
    }
  });
  document.addEventListener("click", (event) => {
    const item = event.target.closest?.("[role=treeitem]"), tree = item?.closest("[role=tree]");
    if (!tree || event.target.closest("button")) return;
    item.classList.toggle("busy", item.getAttribute("aria-expanded") === "false");
    go(tree, item);
  });
})();
