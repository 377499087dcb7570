// What is looked at. The view (a store) is one value; `split` derives from it what each part of the page needs, so that a
// change asks the server only for what it changes. The address mirrors the view; moves in the page change it here.
(() => {
  const page = window.lakefrontExplorer, { state, at, no, set, same, parts } = page;
  const here = () => /^\/unity-catalog\/?$/.test(location.pathname);

  const address = (view) => {
    if (!view?.table || !here()) return;
    const query = new URLSearchParams({ table: view.table });
    if (view.view !== "rows") query.set("view", view.view);
    for (const name of ["filter", "sort", "hidden", "chart"]) {
      if (view[name] && Object.keys(view[name]).length) query.set(name, JSON.stringify(view[name]));
    }
    const to = `${location.pathname}?${query}`, now = new URLSearchParams(location.search);
    if (to === location.pathname + location.search) return;
    // another table is a step that "back" takes back; the first one, a filter or an order is not
    if (now.has("table") && now.get("table") !== view.table) history.pushState(history.state, "", to);
    else history.replaceState(history.state, "", to);
  };
  let keeping = null;
  const keep = (view) => {   // for the next visit, once the person has stayed a moment
    clearTimeout(keeping);
    keeping = setTimeout(() => { if (at("uc-page")) set("uc-place", { data: view }); }, 2500);
  };
  const follow = () => { if (at("uc-page") && here()) set("uc-arrived", { data: location.search }); };
  addEventListener("popstate", follow);
  addEventListener("_dashprivate_pushstate", () => setTimeout(follow));

  const opened = (tree, table) => {   // the tree with the table's catalog and schema open
    const names = parts(table), open = [...tree.open];
    for (const path of names.length === 3 ? [names.slice(0, 1), names.slice(0, 2)] : []) {
      if (!open.some((one) => same(one, path))) open.push(path);
    }
    return { open, table };
  };
  const split = (view, sought, filter, chart, hidden, asked, tree, instance) => {
    const out = Array(6).fill(no());
    if (!view) return out;
    if (state.view && state.view.table !== view.table) {
      state.before = state.view.table;
      state.good = null;
      state.column = null;
    }
    // what a link led to is a place too; without one the place of last time is shown, and known
    const linked = new URLSearchParams(location.search).has("table");
    if (state.view ? !same(state.view, view) : linked) keep(view);
    state.view = view;
    const of = JSON.stringify([view.table, view.filter]);
    if (!sought || sought[0] !== view.table || sought[1] !== view.view) out[0] = [view.table, view.view, 0];
    if (!filter || !same(filter, view.filter)) out[1] = view.filter;
    if (chart === undefined || !same(chart, view.chart)) out[2] = view.chart;
    if (!hidden || !same(hidden, view.hidden)) out[3] = view.hidden;
    if (asked?.of !== of) out[4] = { key: `${instance}-${Date.now()}`, of };
    if (tree.table !== view.table) out[5] = opened(tree, view.table);
    address(view);
    return out;
  };

  const pressed = () => {   // the id of the pattern-matching button that was pressed, or null when it was only drawn
    const { triggered_id: id, triggered } = window.dash_clientside.callback_context;
    return id && triggered?.[0]?.value ? id : null;
  };
  page.adopt({
    split,
    personal: (data) => { if (data) state.format = data.date_format ?? null; return no(); },
    // a line of the tree: a catalog or a schema opens or closes, a table is looked at
    press: (clicks, tree, view) => {
      const id = pressed();
      if (!id) return [no(), no()];
      const path = JSON.parse(id.path), is = (one) => same(one, path);
      if (path.length < 3) {
        return [{ ...tree, open: tree.open.some(is) ? tree.open.filter((one) => !is(one)) : [...tree.open, path] }, no()];
      }
      const table = path.map((part) => (part.includes(".") ? `\`${part}\`` : part)).join(".");
      page.closeDialog("uc-tree-box");
      return [no(), { table, view: "rows", filter: [], sort: [], hidden: [], page_size: view?.page_size ?? 100, chart: null }];
    },
    // a tab: rows, chart, profile, details
    choose: (rows, chart, profile, details, view) => {
      const id = pressed();
      return id?.value && view && view.view !== id.value ? { ...view, view: id.value } : no();
    },
    // the chips: remove, edit, clear, add
    narrow: (removed, edited, cleared, added, view) => {
      const id = pressed();
      if (!id || !view) return [no(), no()];
      if (id === "uc-filter-add") return [no(), { place: null, at: Date.now() }];
      if (id === "uc-filter-clear") return [{ ...view, filter: [] }, null];
      if (id.type === "uc-chip-edit") return [no(), { place: id.place, at: Date.now() }];
      return [{ ...view, filter: view.filter.filter((_, place) => place !== id.place) }, null];
    },
    // an export of what is looked at, for assets/export.js
    order: (buttons, more, view) => {
      const id = pressed();
      if (!id?.format || !view) return no();
      const names = parts(view.table), body = { sort: view.sort };
      if (view.filter.length) body.filter = view.filter.length === 1 ? view.filter[0] : { and: view.filter };
      const url = `/api/v1/unity-catalog/tables/${names.map(encodeURIComponent).join("/")}/export?format=${id.format}`;
      return { url, body: JSON.stringify(body), format: id.format, name: `${names.at(-1)}.${id.format}`, started: Date.now() };
    },
    // the column chooser: at least one column stays
    chosenColumns: (shown, view, details) => {
      if (!shown || !view || !details) return no();
      const names = details.columns.map((column) => column.name), hidden = names.filter((name) => !shown.includes(name));
      if (hidden.length === names.length) {
        set("uc-columns-shown", { value: [names.find((name) => !view.hidden.includes(name))] });
        return no();
      }
      return same([...hidden].sort(), [...view.hidden].sort()) ? no() : { ...view, hidden };
    },
  });

  const change = (how) => () => { if (state.view) set("uc-view", { data: { ...state.view, ...how(state.view) } }); };
  const saving = () => set("uc-saving", { data: Date.now() });
  Object.assign(page.presses, {
    "uc-save-view": saving,
    "uc-save-view-more": saving,
    "uc-save-views": saving,
    "uc-save-cancel": () => set("uc-saving", { data: null }),
    "uc-filter-cancel": () => set("uc-filter-edited", { data: null }),
    "uc-empty-clear": change(() => ({ filter: [] })),
    "uc-empty-remove": change((view) => ({ filter: view.filter.slice(0, -1) })),
    "uc-empty-details": change(() => ({ view: "details" })),
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("button.lf-tree-retry")) at("uc-tree-refresh").click();
  });
})();
