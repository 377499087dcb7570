// The explorer's grid in the browser: theme from the tokens, how cells are written, the pager, a failed block, the keys.
// The server decides what is shown; this file only drives AG Grid's own API.
window.dashAgGridFunctions = window.dashAgGridFunctions || {};
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.explorer = (() => {
  const no = () => window.dash_clientside.no_update;
  const grid = async () => { try { return await window.dash_ag_grid.getApiAsync("uc-grid"); } catch { return null; } };

  window.dashAgGridFunctions.lakefrontGridTheme = (quartz) => quartz.withParams({
    backgroundColor: "var(--surface)", foregroundColor: "var(--ink)", chromeBackgroundColor: "var(--surface)", headerBackgroundColor: "var(--surface)",
    headerTextColor: "var(--ink-2)", headerFontWeight: 500, headerFontSize: 12, fontFamily: "inherit", fontSize: 13, dataFontSize: 13,
    accentColor: "var(--accent)", borderColor: "var(--line)", rowBorder: { color: "var(--line)" }, columnBorder: false, wrapperBorder: false, wrapperBorderRadius: 0,
    rowHoverColor: "var(--hover)", oddRowBackgroundColor: "var(--surface)", selectedRowBackgroundColor: "var(--accent-soft)", rangeSelectionBorderColor: "var(--accent)",
    rowHeight: 28, headerHeight: 32, cellHorizontalPadding: 11, spacing: 6, iconSize: 14, borderRadius: 6, menuBackgroundColor: "var(--raised)",
    headerColumnResizeHandleColor: "transparent", headerColumnBorder: false, focusShadow: "0 0 0 1px var(--accent)", inputBorder: { color: "var(--line-control)" },
  });
  // null is said, an empty text shows its quotes, times lose the T, doubles keep at least two decimals, nested values are one line of JSON
  window.dashAgGridFunctions.lakefrontCell = (value, kind) => {
    if (value === undefined) return "";
    if (value === null) return "null";
    if (value === "") return '""';
    if (typeof value === "object") return JSON.stringify(value);
    if (kind === "timestamp") return String(value).replace("T", " ").replace(/(Z|\+00:00)$/, "");
    if (kind === "number" && typeof value === "number") {
      const text = String(value);
      return (/e/.test(text) ? text : (text.split(".")[1] ?? "").length < 2 ? value.toFixed(2) : text).replace("-", "−");
    }
    return typeof value === "number" ? String(value).replace("-", "−") : String(value);
  };

  let asked = null;
  const place = async () => {
    const api = await grid(), label = document.getElementById("uc-pager-place");
    if (!api || !label) return;
    const size = api.paginationGetPageSize(), page = api.paginationGetCurrentPage(), rows = api.paginationGetRowCount();
    const known = api.isLastRowIndexKnown(), first = rows ? page * size + 1 : 0, last = Math.min((page + 1) * size, rows);
    const figure = (n) => n.toLocaleString("en-US");
    label.querySelector("b").textContent = `${figure(first)}–${figure(last)}`;
    const pages = Math.max(1, Math.ceil(rows / size));
    const total = document.getElementById("uc-pager-total"); if (total) total.textContent = known ? `of ${figure(pages)}` : "of more";
    const of = document.getElementById("uc-pager-of"); if (of) of.textContent = known ? ` of ${figure(rows)}` : "";
    const field = document.getElementById("uc-pager-page"); if (field && document.activeElement !== field) field.value = page + 1;
    const set = (id, off) => { const b = document.getElementById(id); if (b) b.disabled = off; };
    set("uc-pager-first", page === 0); set("uc-pager-previous", page === 0);
    set("uc-pager-next", known && page + 1 >= pages); set("uc-pager-last", !known || page + 1 >= pages);
  };
  const say = (text) => { const m = document.getElementById("uc-pager-message"); if (m) m.textContent = text; };
  const turn = async (id) => {
    const api = await grid(); if (!api) return;
    say("");
    const to = { "uc-pager-first": () => api.paginationGoToFirstPage(), "uc-pager-previous": () => api.paginationGoToPreviousPage(),
      "uc-pager-next": () => api.paginationGoToNextPage(), "uc-pager-last": () => api.paginationGoToLastPage() }[id];
    to?.();
    await place();
  };
  document.addEventListener("click", (event) => { const b = event.target.closest?.(".lf-pager button"); if (b) turn(b.id); });
  document.addEventListener("keydown", async (event) => {
    if (event.target.id !== "uc-pager-page" || event.key !== "Enter") return;
    const api = await grid(), wanted = Number(event.target.value.replace(/[, ]/g, "")); if (!api) return;
    const pages = api.paginationGetTotalPages(), known = api.isLastRowIndexKnown();
    if (!Number.isInteger(wanted) || wanted < 1 || (known && wanted > pages)) {
      say(known ? `Whole number from 1 to ${pages.toLocaleString("en-US")} expected.` : "Whole number from 1 expected.");
      return;
    }
    say("");
    // a page beyond what is known: let the grid believe in its rows until the total says better
    if (!known && wanted > pages) api.setRowCount(wanted * api.paginationGetPageSize(), false);
    api.paginationGoToPage(wanted - 1);
    await place();
  });

  const wired = new WeakSet();
  const wire = (api) => {
    if (wired.has(api)) return;
    wired.add(api);
    for (const name of ["paginationChanged", "modelUpdated"]) api.addEventListener(name, place);
    api.addEventListener("cellFocused", (event) => {
      const column = event.column?.getColId?.();
      if (column && column !== "__row") window.dash_clientside.set_props("uc-focused-column", { data: column });
    });
  };

  return {
    // A block failed: tell the grid so, or it would wait for ever.
    fail: (failed, request) => { if (failed && request?.failCallback) request.failCallback(); return no(); },
    // Filter or table changed: read the blocks again; the key of the statement that nobody waits for any more goes to the server.
    reload: async (view) => {
      if (!view) return no();
      const key = JSON.stringify([view.table, view.filter]);
      const before = asked; asked = key;
      if (before === null || before === key || JSON.parse(before)[0] !== view.table) return no();
      const api = await grid();
      api?.paginationGoToFirstPage();
      api?.purgeInfiniteCache();
      return no();
    },
    retry: async (pressed) => { if (pressed) { const api = await grid(); api?.purgeInfiniteCache(); } return no(); },
    total: async (count) => {
      const api = await grid(); if (!api) return no();
      wire(api);
      if (count && Number.isInteger(count.total)) api.setRowCount(count.total, true);
      await place();
      return no();
    },
    wire: async (response) => { const api = await grid(); if (api) { wire(api); await place(); } return no(); },
    size: async (size) => {
      const api = await grid(); if (!api || !size) return no();
      api.setGridOption("paginationPageSize", Number(size)); api.setGridOption("cacheBlockSize", Number(size));
      await place();
      return no();
    },
    columns: async (hidden) => {
      const api = await grid(); if (!api || !hidden) return no();
      for (const column of api.getColumns() ?? []) if (column.getColId() !== "__row") api.setColumnsVisible([column.getColId()], !hidden.includes(column.getColId()));
      return no();
    },
    address: (view) => {
      if (!view?.table || location.pathname !== "/unity-catalog") return no();
      const query = new URLSearchParams({ table: view.table });
      if (view.view !== "rows") query.set("view", view.view);
      for (const name of ["filter", "sort", "hidden", "chart"]) if (view[name] && Object.keys(view[name]).length) query.set(name, JSON.stringify(view[name]));
      const to = `${location.pathname}?${query}`;
      if (to !== location.pathname + location.search) history.replaceState(history.state, "", to);
      return no();
    },
  };
})();
// Keys of the catalog tree (WAI-ARIA tree pattern): one tab stop; arrows, Home, End, letters move; Right and Left open and close; Enter opens.
(() => {
  const shown = (tree) => [...tree.querySelectorAll("[role=treeitem]")];
  const go = (tree, item) => { if (!item) return; tree.querySelectorAll("[role=treeitem]").forEach((x) => (x.tabIndex = x === item ? 0 : -1)); item.focus(); };
  const press = (item) => item.querySelector(":scope > .r").click();
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
      go(tree, after.find((x) => x.querySelector(":scope > .r").textContent.trim().toLowerCase().startsWith(letter)));
    }
  });
  document.addEventListener("click", (event) => {
    const item = event.target.closest?.("[role=treeitem]"), tree = item?.closest("[role=tree]");
    if (tree) go(tree, item);
  });
  document.addEventListener("keydown", (event) => {
    const chip = event.target.closest?.(".lf-chip");
    if (!chip || event.key !== "Delete") return;
    const next = chip.nextElementSibling?.querySelector("button") ?? document.getElementById("uc-filter-add");
    chip.querySelectorAll("button")[1].click();
    next?.focus();
  });
})();
// The seconds of a statement that takes longer than one (the box appears by the stylesheet).
(() => {
  let since = null;
  setInterval(() => {
    const box = document.querySelector(".lf-running");
    if (!box?.classList.contains("on")) { since = null; return; }
    since ??= Date.now();
    box.querySelector(".lf-running-words").textContent = `running for ${((Date.now() - since) / 1000).toFixed(0)} s`;
  }, 250);
})();
