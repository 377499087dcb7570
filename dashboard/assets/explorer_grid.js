// The grid's own moves: orders go into the view, hidden columns follow it, a phone pins the first column, Enter shows a
// value whole, and the profile beside the rows follows the focused column.
(() => {
  const page = window.lakefrontExplorer, { state, at, no, set, same, grid, phone, wide } = page;
  const wired = new WeakSet();

  const mark = () => {
    for (const head of document.querySelectorAll("#uc-grid .ag-header-cell")) {
      head.classList.toggle("is-on", head.getAttribute("col-id") === state.column && !phone.matches);
    }
  };
  page.inspect = (name, force) => {
    if (!name || (!force && state.column === name)) return;
    state.column = name;
    mark();
    set("uc-column", { data: { name, at: Date.now() } });
  };
  const inspected = () => page.inspect(state.column ?? state.names[0], true);
  const step = (by) => () => {
    const names = state.names;
    page.inspect(names[(names.indexOf(state.column) + by + names.length) % names.length]);
  };
  // Beside the rows the profile is switched on and off; without room it is a dialog. The data of a chart likewise.
  page.showPressed = () => {
    const profile = at("uc-inspect-toggle"), data = at("uc-chart-as-table"), beside = document.querySelector(".lf-rows .lf-split");
    if (profile && wide.matches) {
      profile.setAttribute("aria-pressed", String(!beside?.classList.contains("one")));
      profile.removeAttribute("aria-haspopup");
    } else if (profile) {
      profile.removeAttribute("aria-pressed");
      profile.setAttribute("aria-haspopup", "dialog");
    }
    const split = document.querySelector(".lf-chart-split");
    const shown = wide.matches ? !split?.classList.contains("one") : Boolean(split?.classList.contains("table"));
    data?.setAttribute("aria-pressed", String(shown));
  };
  wide.addEventListener("change", () => page.showPressed());
  const toggle = () => {
    if (wide.matches) {
      document.querySelector(".lf-rows .lf-split").classList.toggle("one");
      page.showPressed();
    } else page.openDialog("uc-inspect-box");
    inspected();
  };
  Object.assign(page.presses, {
    "uc-inspect-toggle": toggle, "uc-inspect-more": toggle, "uc-inspect-previous": step(-1), "uc-inspect-next": step(1),
  });

  const pin = (api) => {
    if (api.isDestroyed?.()) return;
    const first = api.getColumns().find((column) => column.getColId() !== "__row" && column.isVisible());
    api.setColumnsVisible(["__row"], !phone.matches);
    if (first) api.setColumnsPinned([first.getColId()], phone.matches ? "left" : null);
  };
  const follow = (event) => {
    const id = event.column?.getColId?.();
    if (id && id !== "__row" && at("uc-inspect-box")?.checkVisibility()) page.inspect(id);
  };
  const whole = (api) => (event) => {
    const { value, column, rowIndex } = event, key = event.event?.key;
    if ((key && key !== "Enter") || value === null || value === undefined || column.getColId() === "__row") return;
    const cell = event.event.target.closest(".ag-cell"), cut = cell && cell.scrollWidth > cell.clientWidth;
    if (typeof value !== "object" && !cut && String(value).length <= 40) return;
    page.showValue(column.getColId(), value, () => api.setFocusedCell(rowIndex, column));
  };
  const wire = (api) => {
    if (wired.has(api)) return;
    wired.add(api);
    for (const name of ["paginationChanged", "modelUpdated"]) api.addEventListener(name, page.place);
    for (const name of ["displayedColumnsChanged", "virtualColumnsChanged", "firstDataRendered"]) api.addEventListener(name, mark);
    for (const name of ["cellFocused", "headerFocused"]) api.addEventListener(name, follow);
    for (const name of ["cellKeyDown", "cellDoubleClicked"]) api.addEventListener(name, whole(api));
    api.addEventListener("sortChanged", (event) => {
      if (event.source !== "uiColumnSorted") return;
      const sorted = api.getColumnState().filter((one) => one.sort).sort((a, b) => a.sortIndex - b.sortIndex);
      const sort = sorted.map((one) => ({ column: one.colId, direction: one.sort }));
      if (state.view && !same(sort, state.view.sort)) set("uc-view", { data: { ...state.view, sort } });
    });
    const change = () => pin(api);
    phone.addEventListener("change", change);
    api.addEventListener("gridPreDestroyed", () => phone.removeEventListener("change", change));
    if (phone.matches) pin(api);
  };

  page.adopt({
    // a table is open, its chosen view drawn
    opened: (shown, details) => {
      state.names = (details?.columns ?? []).map((column) => column.name);
      if (state.column && !state.names.includes(state.column)) state.column = null;
      const back = at("uc-back");
      if (back && state.before) {
        back.hidden = false;
        back.textContent = `Back to ${state.before}`;
        back.href = `/unity-catalog?${new URLSearchParams({ table: state.before })}`;
      }
      if (shown?.[1] === "rows") {
        state.column = null;
        page.begin();
        window.dash_ag_grid?.getApiAsync("uc-grid").then(wire, () => {});
      }
      setTimeout(page.showPressed);
      return no();
    },
    hide: (hidden) => {
      const api = grid();
      if (!api || !hidden) return no();
      for (const column of api.getColumns() ?? []) {
        const id = column.getColId();
        if (id !== "__row" && column.isVisible() === hidden.includes(id)) api.setColumnsVisible([id], !hidden.includes(id));
      }
      page.tell("uc-columns-count", String(state.names.filter((name) => !hidden.includes(name)).length));
      return no();
    },
    // The total is there: the pager says it, and the profile beside the rows may be read.
    total: (count, asked) => {
      const api = grid();
      if (!count || count.key !== asked?.key) return no();
      state.total = { key: count.key, rows: count.total };
      if (api) { api.setRowCount(count.total, true); page.place(); }
      if (at("uc-inspect-box")?.checkVisibility()) inspected();
      return no();
    },
  });
})();
