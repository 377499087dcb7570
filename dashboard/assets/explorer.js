// The explorer in the browser. The view (a store) is what is looked at; `split` derives from it what each part of the page
// needs, so that a change asks the server only for what it changes. The rest drives AG Grid's own API and the keys.
window.dashAgGridFunctions = window.dashAgGridFunctions || {};
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.explorer = (() => {
  const no = () => window.dash_clientside.no_update;
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const at = (id) => document.getElementById(id);
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const figure = (n) => n.toLocaleString("en-US");
  const grid = () => { try { return at("uc-grid") ? window.dash_ag_grid.getApi("uc-grid") : null; } catch { return null; } };
  const phone = matchMedia("(max-width: 767.98px)");
  const state = { view: null, good: null, names: [], format: null, key: null, column: null, before: null };

  // --- what is looked at ---------------------------------------------------------------------------------------------
  const parts = (name) => {   // catalog.schema.table; a part in backquotes may hold dots
    const out = [""]; let quoted = false;
    for (const sign of name ?? "") { if (sign === "`") quoted = !quoted; else if (sign === "." && !quoted) out.push(""); else out[out.length - 1] += sign; }
    return out;
  };
  const address = (view) => {
    if (!view?.table || !/^\/unity-catalog\/?$/.test(location.pathname)) return;
    const query = new URLSearchParams({ table: view.table });
    if (view.view !== "rows") query.set("view", view.view);
    for (const name of ["filter", "sort", "hidden", "chart"]) if (view[name] && Object.keys(view[name]).length) query.set(name, JSON.stringify(view[name]));
    const to = `${location.pathname}?${query}`, now = new URLSearchParams(location.search);
    if (to === location.pathname + location.search) return;
    // another table is a step that "back" takes back; the first one, a filter or an order is not
    if (now.has("table") && now.get("table") !== view.table) history.pushState(history.state, "", to); else history.replaceState(history.state, "", to);
  };
  let keeping = null;
  const keep = (view) => { clearTimeout(keeping); keeping = setTimeout(() => { if (at("uc-page")) set("uc-place", { data: view }); }, 2500); };
  const follow = () => { if (at("uc-page") && /^\/unity-catalog\/?$/.test(location.pathname)) set("uc-arrived", { data: location.search }); };
  addEventListener("popstate", follow);
  addEventListener("_dashprivate_pushstate", () => setTimeout(follow));

  const split = (view, sought, filter, chart, hidden, asked, tree, instance) => {
    const out = Array(6).fill(no());
    if (!view) return out;
    if (state.view && state.view.table !== view.table) { state.before = state.view.table; state.good = null; state.column = null; }
    if (state.view && !same(state.view, view)) keep(view);
    state.view = view;
    const of = JSON.stringify([view.table, view.filter]);
    if (!sought || sought[0] !== view.table || sought[1] !== view.view) out[0] = [view.table, view.view, 0];
    if (!filter || !same(filter, view.filter)) out[1] = view.filter;
    if (chart === undefined || !same(chart, view.chart)) out[2] = view.chart;
    if (!hidden || !same(hidden, view.hidden)) out[3] = view.hidden;
    if (asked?.of !== of) out[4] = { key: `${instance}:${Date.now()}`, of };
    if (tree.table !== view.table) {
      const names = parts(view.table), open = [...tree.open];
      for (const path of names.length === 3 ? [names.slice(0, 1), names.slice(0, 2)] : []) if (!open.some((one) => same(one, path))) open.push(path);
      out[5] = { open, table: view.table };
    }
    address(view);
    return out;
  };
  const press = (clicks, tree, view) => {
    const { triggered_id: id, triggered } = window.dash_clientside.callback_context;
    if (!id || !triggered?.[0]?.value) return [no(), no()];
    const path = JSON.parse(id.path);
    if (path.length < 3) return [{ ...tree, open: tree.open.some((one) => same(one, path)) ? tree.open.filter((one) => !same(one, path)) : [...tree.open, path] }, no()];
    const table = path.map((part) => (part.includes(".") ? `\`${part}\`` : part)).join(".");
    closeDialog("uc-tree-box");
    return [no(), { table, view: "rows", filter: [], sort: [], hidden: [], page_size: view?.page_size ?? 100, chart: null }];
  };
  const choose = (rows, chart, profile, details, view) => {
    const { triggered_id: id, triggered } = window.dash_clientside.callback_context;
    return id?.value && triggered?.[0]?.value && view && view.view !== id.value ? { ...view, view: id.value } : no();
  };
  const narrow = (removed, edited, cleared, added, view) => {
    const { triggered_id: id, triggered } = window.dash_clientside.callback_context;
    if (!id || !triggered?.[0]?.value || !view) return [no(), no()];
    if (id === "uc-filter-add") return [no(), { place: null, at: Date.now() }];
    if (id === "uc-filter-clear") return [{ ...view, filter: [] }, null];
    if (id.type === "uc-chip-edit") return [no(), { place: id.place, at: Date.now() }];
    return [{ ...view, filter: view.filter.filter((_, place) => place !== id.place) }, null];
  };
  const say = (kind, first, second, group, bucket, group2, add, said, view, details) => {
    if (!said || view?.view !== "chart" || !details || kind === undefined) return no();
    const time = (name) => ["date", "timestamp"].includes(details.columns.find((column) => column.name === name)?.kind);
    const chosen = (value) => (value && value !== "none" ? value : "");
    if (window.dash_clientside.callback_context.triggered_id === "uc-chart-add-group" && add)
      group2 = details.columns.find((column) => column.name !== group && ["text", "boolean", "integer", "date"].includes(column.kind))?.name ?? details.columns.find((column) => column.name !== group)?.name;
    if (chosen(group2) === group) group2 = "";
    const spec = { kind, first, second: chosen(second), group, bucket: time(group) ? chosen(bucket) || "day" : null, group2: chosen(group2), bucket2: time(chosen(group2)) ? "day" : null };
    return Object.keys(spec).every((name) => (spec[name] || "") === (said[name] || "")) ? no() : { ...view, chart: spec };
  };
  const showRows = (pressed, picked, view) => {
    if (!pressed || !picked) return no();
    const columns = new Set(picked.filter.map((one) => one.column));
    const kept = view.filter.filter((node) => !(columns.has(node.column) && picked.filter.some((one) => same(one, node))));
    return { ...view, view: "rows", filter: [...kept, ...picked.filter] };
  };
  const order = (buttons, more, view) => {
    const { triggered_id: id, triggered } = window.dash_clientside.callback_context;
    if (!id?.format || !triggered?.[0]?.value || !view) return no();
    const names = parts(view.table), body = { sort: view.sort };
    if (view.filter.length) body.filter = view.filter.length === 1 ? view.filter[0] : { and: view.filter };
    const url = `/api/v1/unity-catalog/tables/${names.map(encodeURIComponent).join("/")}/export?format=${id.format}`;
    return { url, body: JSON.stringify(body), format: id.format, name: `${names.at(-1)}.${id.format}`, started: Date.now() };
  };
  const clicked = (click) => {
    const point = click?.points?.[0];
    if (!point) return no();
    const series = point.data?.type === "heatmap" ? point.y : document.querySelectorAll("#uc-chart .legend .traces").length > 1 ? point.data?.name : null;
    return { place: point.pointIndex ?? point.pointNumber ?? null, x: point.x ?? null, series, at: Date.now() };
  };
  const picked = (data) => {
    for (const line of document.querySelectorAll(".lf-data tr.on")) line.classList.remove("on");
    const button = data && document.querySelector(`.lf-data [data-group="${data.place}"]`);
    button?.closest("tr").classList.add("on");
    return no();
  };

  // --- the grid: how cells are written ---------------------------------------------------------------------------------
  window.dashAgGridFunctions.lakefrontGridTheme = (quartz) => quartz.withParams({
    backgroundColor: "var(--surface)", foregroundColor: "var(--ink)", chromeBackgroundColor: "var(--surface)", headerBackgroundColor: "var(--surface)",
    headerTextColor: "var(--ink-2)", headerFontWeight: 500, headerFontSize: 12, fontFamily: "inherit", fontSize: 13, dataFontSize: 13,
    accentColor: "var(--accent)", borderColor: "var(--line)", rowBorder: { color: "var(--line)" }, columnBorder: false, wrapperBorder: false, wrapperBorderRadius: 0,
    rowHoverColor: "var(--hover)", oddRowBackgroundColor: "var(--surface)", selectedRowBackgroundColor: "var(--accent-soft)", rangeSelectionBorderColor: "var(--accent)",
    rowHeight: 28, headerHeight: 32, cellHorizontalPadding: 11, spacing: 6, iconSize: 14, borderRadius: 6, menuBackgroundColor: "var(--raised)",
    headerColumnResizeHandleColor: "transparent", headerColumnBorder: false, focusShadow: "0 0 0 1px var(--accent)", inputBorder: { color: "var(--line-control)" },
  });
  // the person's way of writing times; anything but a plain time (years beyond 9999, fractions) keeps its own digits
  const moment = (text) => {
    const plain = text.replace("T", " ").replace(/(Z|\+00:00)$/, "");
    const found = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(plain);
    if (!found || !state.format) return plain;
    const [, YYYY, MM, DD, HH, mm, ss] = found, hour = Number(HH);
    const words = { YYYY, MM, DD, HH, mm, ss, hh: String(hour % 12 || 12).padStart(2, "0"), A: hour < 12 ? "AM" : "PM" };
    return state.format.replace(/YYYY|MM|DD|HH|hh|mm|ss|A/g, (sign) => words[sign]);
  };
  // null is said, an empty text shows its quotes, times lose the T, doubles keep at least two decimals, nested values are one line of JSON
  window.dashAgGridFunctions.lakefrontCell = (value, kind) => {
    if (value === undefined) return "";
    if (value === null) return "null";
    if (value === "") return '""';
    if (typeof value === "object") return JSON.stringify(value);
    if (kind === "timestamp") return moment(String(value));
    if (kind === "number" && typeof value === "number") {
      const text = String(value);
      return (/e/.test(text) ? text : (text.split(".")[1] ?? "").length < 2 ? value.toFixed(2) : text).replace("-", "−");
    }
    return typeof value === "number" ? String(value).replace("-", "−") : String(value);
  };

  // --- the pager ---------------------------------------------------------------------------------------------------------
  const place = () => {
    const api = grid(), label = at("uc-pager-place");
    if (!api || !label || api.isDestroyed?.()) return no();
    const size = api.paginationGetPageSize(), page = api.paginationGetCurrentPage(), rows = api.paginationGetRowCount();
    const known = api.isLastRowIndexKnown() === true, first = rows ? page * size + 1 : 0, last = Math.min((page + 1) * size, rows);
    const pages = Math.max(1, Math.ceil(rows / size));
    label.querySelector("b").textContent = `${figure(first)}–${figure(last)}`;
    at("uc-pager-total").textContent = known ? `of ${figure(pages)}` : "of more";
    at("uc-pager-of").innerHTML = known ? ` of <b>${figure(rows)}</b>` : "";
    const field = at("uc-pager-page"); if (document.activeElement !== field && field.value !== String(page + 1)) set("uc-pager-page", { value: String(page + 1) });
    const off = (id, is) => { const held = document.activeElement === at(id); at(id).disabled = is; if (held && is) field.focus(); };
    off("uc-pager-first", page === 0); off("uc-pager-previous", page === 0);
    off("uc-pager-next", known && page + 1 >= pages); off("uc-pager-last", !known || page + 1 >= pages);
    at("uc-pager").classList.remove("waiting");
    const wide = Math.max(52, 9 * String(last).length + 20), number = api.getColumn("__row");
    if (number?.isVisible() && number.getActualWidth() < wide) api.setColumnWidths([{ key: "__row", newWidth: wide }]);
    return no();
  };
  const tell = (id, text) => { const box = at(id); if (box && box.textContent !== text) box.textContent = text; };
  const goTo = (page) => {
    const api = grid(); if (!api) return;
    // a page beyond what is known so far: let the grid believe in its rows until the total says better
    if (api.isLastRowIndexKnown() !== true && page + 1 > api.paginationGetTotalPages()) api.setRowCount((page + 1) * api.paginationGetPageSize(), false);
    api.paginationGoToPage(page);
    place();
  };
  const whole = (text, most, what) => {
    const wanted = Number(String(text).replace(/[, ]/g, "") || "x");
    if (Number.isInteger(wanted) && wanted >= 1 && (most === null || wanted <= most)) return [wanted, ""];
    return [null, most === null ? `Whole number from 1 expected for the ${what}.` : `Whole number from 1 to ${figure(most)} expected for the ${what}.`];
  };
  const turn = {
    "uc-pager-first": () => goTo(0), "uc-pager-previous": () => goTo(grid().paginationGetCurrentPage() - 1),
    "uc-pager-next": () => goTo(grid().paginationGetCurrentPage() + 1), "uc-pager-last": () => goTo(grid().paginationGetTotalPages() - 1),
  };
  const jump = () => {
    const api = grid(); if (!api) return;
    const known = api.isLastRowIndexKnown() === true;
    const [row, problem] = whole(at("uc-jump-row").value, known ? api.paginationGetRowCount() : null, "row");
    tell("uc-jump-message", problem);
    at("uc-jump-row").classList.toggle("is-invalid", row === null);
    if (row === null) return;
    closePop("uc-jump");
    goTo(Math.floor((row - 1) / api.paginationGetPageSize()));
    api.ensureIndexVisible(row - 1, "middle");
    const first = api.getAllDisplayedColumns().find((column) => column.getColId() !== "__row");
    if (first) setTimeout(() => api.setFocusedCell(row - 1, first), 60);   // once the row is drawn
  };

  // --- dialogs, popovers ---------------------------------------------------------------------------------------------------
  // A part of the page that becomes a modal dialog where there is no room for it: everything else is inert meanwhile, and the
  // focus returns to the opener.
  const openers = new Map();
  const others = (box) => { const out = []; for (let one = box; one.parentElement && one !== document.body; one = one.parentElement) out.push(...[...one.parentElement.children].filter((x) => x !== one && !/SCRIPT|STYLE/.test(x.tagName))); return out; };
  const openDialog = (id) => {
    const box = at(id); if (!box || openers.has(id)) return;
    openers.set(id, [document.activeElement, others(box).filter((one) => !one.inert)]);
    for (const one of openers.get(id)[1]) one.inert = true;
    box.classList.add("open"); box.setAttribute("role", "dialog"); box.setAttribute("aria-modal", "true");
    (box.querySelector("[role=treeitem][tabindex='0'], button, input") ?? box).focus();
  };
  const closeDialog = (id) => {
    const box = at(id), [opener, held] = openers.get(id) ?? []; if (!held) return;
    openers.delete(id);
    for (const one of held) one.inert = false;
    if (box) { box.classList.remove("open"); box.removeAttribute("role"); box.removeAttribute("aria-modal"); }
    (opener?.checkVisibility() ? opener : document.querySelector("[data-pop=uc-more-menu]"))?.focus();
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !document.querySelector("dialog[open]")) for (const id of [...openers.keys()]) { event.preventDefault(); closeDialog(id); } });
  document.addEventListener("click", (event) => { for (const id of [...openers.keys()]) if (event.target === document.documentElement || event.target === document.body) closeDialog(id); });
  const closePop = (id) => {
    for (const opener of document.querySelectorAll(`[data-pop="${id}"][aria-expanded=true]`)) { opener.setAttribute("aria-expanded", "false"); at(id).hidden = true; if (opener.checkVisibility()) opener.focus(); }
  };
  for (const [query, id] of [["(min-width: 992px)", "uc-tree-box"], ["(min-width: 1200px)", "uc-inspect-box"]]) matchMedia(query).addEventListener("change", (now) => { if (now.matches) closeDialog(id); });
  // A value that does not fit its cell, whole: nested values in lines, anything else as it is.
  const whole_value = (column, value, opener) => {
    const box = document.createElement("dialog"), text = typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
    box.className = "lf-dialog lf-value";
    box.setAttribute("aria-labelledby", "uc-value-title");
    box.innerHTML = '<h2 id="uc-value-title" class="mono cut"></h2><pre class="lf-value-text" tabindex="0"></pre><div class="row-flex lf-dialog-actions"><button type="button" class="btn" data-copy=""><span>Copy</span></button><button type="button" class="btn btn-primary">Close</button></div>';
    box.querySelector("h2").textContent = column; box.querySelector("pre").textContent = text; box.querySelector("pre").setAttribute("aria-label", `Value of ${column}`);
    const [copy, close] = box.querySelectorAll("button"); copy.dataset.copy = text;
    close.addEventListener("click", () => box.close());
    box.addEventListener("close", () => { box.remove(); opener(); });
    document.body.append(box); box.showModal(); close.focus();
  };

  // --- the grid's own moves --------------------------------------------------------------------------------------------------
  const wired = new WeakSet();
  const mark = () => {
    for (const head of document.querySelectorAll("#uc-grid .ag-header-cell")) head.classList.toggle("is-on", head.getAttribute("col-id") === state.column && !phone.matches);
  };
  const inspect = (name, force) => {
    if (!name || (!force && state.column === name)) return;
    state.column = name; mark();
    set("uc-column", { data: { name, at: Date.now() } });
  };
  const pin = (api) => {
    if (api.isDestroyed?.()) return;
    const first = api.getColumns().find((column) => column.getColId() !== "__row" && column.isVisible());
    api.setColumnsVisible(["__row"], !phone.matches);
    if (first) api.setColumnsPinned([first.getColId()], phone.matches ? "left" : null);
  };
  const wire = (api) => {
    if (wired.has(api)) return;
    wired.add(api);
    for (const name of ["paginationChanged", "modelUpdated"]) api.addEventListener(name, place);
    for (const name of ["displayedColumnsChanged", "virtualColumnsChanged", "firstDataRendered"]) api.addEventListener(name, mark);
    api.addEventListener("cellFocused", (event) => { const id = event.column?.getColId?.(); if (id && id !== "__row" && at("uc-inspect-box")?.checkVisibility()) inspect(id); });
    api.addEventListener("headerFocused", (event) => { const id = event.column?.getColId?.(); if (id && id !== "__row" && at("uc-inspect-box")?.checkVisibility()) inspect(id); });
    const open = (event) => {
      const value = event.value, key = event.event?.key;
      if ((key && key !== "Enter") || value === null || value === undefined || event.column.getColId() === "__row") return;
      const cell = event.event.target.closest(".ag-cell"), cut = cell && cell.scrollWidth > cell.clientWidth;
      if (typeof value === "object" || cut || String(value).length > 40) whole_value(event.column.getColId(), value, () => api.setFocusedCell(event.rowIndex, event.column));
    };
    api.addEventListener("cellKeyDown", open);
    api.addEventListener("cellDoubleClicked", open);
    api.addEventListener("sortChanged", (event) => {
      if (event.source !== "uiColumnSorted") return;
      const sort = api.getColumnState().filter((one) => one.sort).sort((a, b) => a.sortIndex - b.sortIndex).map((one) => ({ column: one.colId, direction: one.sort }));
      if (state.view && !same(sort, state.view.sort)) set("uc-view", { data: { ...state.view, sort } });
    });
    const change = () => pin(api);
    phone.addEventListener("change", change);
    api.addEventListener("gridPreDestroyed", () => phone.removeEventListener("change", change));
    if (phone.matches) pin(api);
  };
  // Beside the rows the profile is switched on and off; without room it is a dialog that a button opens. The data of a chart likewise.
  const pressed = () => {
    const wide = matchMedia("(min-width: 1200px)").matches, profile = at("uc-inspect-toggle"), data = at("uc-chart-as-table");
    if (profile) {
      if (wide) { profile.setAttribute("aria-pressed", String(!document.querySelector(".lf-rows .lf-split")?.classList.contains("one"))); profile.removeAttribute("aria-haspopup"); }
      else { profile.removeAttribute("aria-pressed"); profile.setAttribute("aria-haspopup", "dialog"); }
    }
    if (data) { const split = document.querySelector(".lf-chart-split"); data.setAttribute("aria-pressed", String(wide ? !split?.classList.contains("one") : Boolean(split?.classList.contains("table")))); }
  };
  matchMedia("(min-width: 1200px)").addEventListener("change", () => pressed());
  const running = () => at("uc-running")?.classList.contains("on");

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    const view = state.view;
    if (turn[button.id]) { tell("uc-pager-message", ""); turn[button.id](); }
    else if (button.id === "uc-jump-go") jump();
    else if (button.id === "uc-save-view" || button.id === "uc-save-view-more") set("uc-saving", { data: Date.now() });
    else if (button.id === "uc-filter-cancel") set("uc-filter-edited", { data: null });
    else if (button.id === "uc-save-cancel") set("uc-saving", { data: null });
    else if (button.id === "uc-tree-open") openDialog("uc-tree-box");
    else if (button.id === "uc-tree-close") closeDialog("uc-tree-box");
    else if (button.id === "uc-inspect-close") closeDialog("uc-inspect-box");
    else if (button.id === "uc-inspect-toggle" || button.id === "uc-inspect-more") {
      if (matchMedia("(min-width: 1200px)").matches) {
        document.querySelector(".lf-rows .lf-split").classList.toggle("one"); pressed();
        inspect(state.column ?? state.names[0], true);
      } else { openDialog("uc-inspect-box"); inspect(state.column ?? state.names[0], true); }
    } else if (button.id === "uc-chart-as-table" || button.id === "uc-chart-as-table-more") {
      const split = document.querySelector(".lf-chart-split"), wide = matchMedia("(min-width: 1200px)").matches;
      split.classList.toggle(wide ? "one" : "table"); pressed();
    } else if (button.id === "uc-inspect-previous" || button.id === "uc-inspect-next") {
      const step = button.id === "uc-inspect-next" ? 1 : -1, names = state.names;
      inspect(names[(names.indexOf(state.column) + step + names.length) % names.length]);
    } else if (button.dataset.group) set("uc-chart-row", { data: { place: Number(button.dataset.group), at: Date.now() } });
    else if (button.id === "uc-rows-retry" && view) {
      if (grid()) { grid().purgeInfiniteCache(); set("uc-grid-state", { children: [] }); } else set("uc-sought", { data: [view.table, view.view, Date.now()] });
    } else if (button.id === "uc-empty-clear") set("uc-view", { data: { ...view, filter: [] } });
    else if (button.id === "uc-empty-remove") set("uc-view", { data: { ...view, filter: view.filter.slice(0, -1) } });
    else if (button.id === "uc-empty-details") set("uc-view", { data: { ...view, view: "details" } });
    else if (button.id === "uc-rows-cancel" || button.id === "uc-starting-cancel") {
      const old = state.good, restored = Boolean(old && view && old.table === view.table && !same(old.filter, view.filter));
      set("uc-cancelled", { data: { key: state.key, by: "person", restored, at: Date.now() } });
      if (restored) set("uc-view", { data: { ...view, filter: old.filter, sort: old.sort } });
    } else if (button.classList.contains("lf-tree-retry")) at("uc-tree-refresh").click();
    if (button.closest("#uc-more-menu, #uc-export-menu") && !button.dataset.pop) closePop(button.closest(".lf-menu").id);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.id === "uc-pager-page") {
      const api = grid(); if (!api) return;
      const [page, problem] = whole(event.target.value, api.isLastRowIndexKnown() === true ? api.paginationGetTotalPages() : null, "page");
      tell("uc-pager-message", problem);
      event.target.classList.toggle("is-invalid", page === null);
      if (page !== null) goTo(page - 1);
    }
    if (event.key === "Enter" && event.target.id === "uc-jump-row") jump();
    if (event.key === "Escape" && event.target.id === "uc-pager-page") { tell("uc-pager-message", ""); event.target.classList.remove("is-invalid"); set("uc-pager-page", { value: String(grid().paginationGetCurrentPage() + 1) }); }
  });
  // The seconds of a statement that takes longer than one (the strip appears by the stylesheet); while it waits, the server
  // is asked each second whether the warehouse is starting.
  let since = null, asked = 0;
  setInterval(() => {
    const box = at("uc-running");
    if (!box?.classList.contains("on")) { since = null; return; }
    since ??= Date.now();
    const seconds = (Date.now() - since) / 1000, starting = at("uc-starting")?.childElementCount > 0;
    box.querySelector(".lf-running-words").textContent = `${starting ? "waiting" : "running"} for ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    const who = document.querySelector("#uc-strip .as"), facts = document.querySelectorAll("#uc-strip .lf-waterline > span:not(.as, .sep, .push)");
    if (who) box.querySelector(".as").innerHTML = who.innerHTML;
    const warehouse = [...facts].find((one) => one.textContent.startsWith("warehouse "))?.textContent ?? "";
    box.querySelector(".lf-running-fact").textContent = starting ? warehouse.replace(/, .*/, ", starting") : warehouse;
    if (seconds > 1 && Date.now() - asked > 1000 && at("uc-starting")) { asked = Date.now(); set("uc-waiting", { data: { since, at: asked } }); }
  }, 200);

  return {
    split, press, choose, narrow, say, showRows, clicked, picked, order, place,
    personal: (data) => { if (data) state.format = data.date_format ?? null; return no(); },
    opened: (shown, details) => {
      state.names = (details?.columns ?? []).map((column) => column.name);
      if (state.column && !state.names.includes(state.column)) state.column = null;
      const back = at("uc-back");
      if (back && state.before) { back.hidden = false; back.textContent = `Back to ${state.before}`; back.href = `/unity-catalog?${new URLSearchParams({ table: state.before })}`; }
      window.dash_ag_grid && shown?.[1] === "rows" && window.dash_ag_grid.getApiAsync("uc-grid").then(wire, () => {});
      if (shown?.[1] === "rows") state.column = null;
      setTimeout(pressed);
      return no();
    },
    // When the total is asked for: after the first rows, or at once where no rows are read.
    whenToCount: (last, shown, asked, count, before, view) => {
      if (!asked || count?.key === asked.key || before === asked.key || !view || !shown || shown[0] !== view.table) return no();
      if (view.view === "details" || (view.view === "rows" && last?.key !== asked.key)) return no();
      return asked.key;
    },
    block: (request) => (request ? { startRow: request.startRow, endRow: request.endRow, sortModel: request.sortModel, at: Date.now() } : no()),
    // A block failed: tell the grid so, or it would wait for ever.
    fail: (failed, request) => { if (failed && request?.failCallback) request.failCallback(); return no(); },
    // Table or filter changed: what ran for the old one is stopped on the warehouse, the blocks are read again. The old rows
    // stay, dimmed, until the new ones are here.
    reload: (asked) => {
      if (!asked) return no();
      const before = state.key, [table] = JSON.parse(asked.of);
      state.key = asked.key;
      if (before && running()) set("uc-cancelled", { data: { key: before, by: "moved", restored: true, at: Date.now() } });
      set("uc-count-text", { children: before === null ? "" : "Counting…" });
      const api = grid();
      if (!api || at("uc-grid").closest("[data-table]")?.dataset.table !== table) return no();
      set("uc-grid-state", { children: [] });
      api.paginationGoToFirstPage();
      if (Object.keys(api.getCacheBlockState() ?? {}).length === 1) {
        const size = api.paginationGetPageSize();
        api.setRowCount(Math.min(size, api.paginationGetRowCount() || size), false);
        api.refreshInfiniteCache();
      } else api.purgeInfiniteCache();
      return no();
    },
    answered: (last, view) => { if (last && last.key === state.key) state.good = view; return no(); },
    total: (count, asked) => {
      const api = grid();
      if (api && count && count.key === asked?.key) { api.setRowCount(count.total, true); place(); }
      if (count && count.key === asked?.key && at("uc-inspect-box")?.checkVisibility()) inspect(state.column ?? state.names[0], true);
      return no();
    },
    size: (size) => {
      const api = grid(); if (!api || !size || Number(size) === api.paginationGetPageSize()) return no();
      api.setGridOption("paginationPageSize", Number(size)); api.setGridOption("cacheBlockSize", Number(size));
      if (state.view) set("uc-view", { data: { ...state.view, page_size: Number(size) } });
      place();
      return no();
    },
    hide: (hidden) => {
      const api = grid(); if (!api || !hidden) return no();
      for (const column of api.getColumns() ?? []) { const id = column.getColId(); if (id !== "__row" && column.isVisible() === hidden.includes(id)) api.setColumnsVisible([id], !hidden.includes(id)); }
      tell("uc-columns-count", String(state.names.filter((name) => !hidden.includes(name)).length));
      return no();
    },
    chosenColumns: (shown, view, details) => {
      if (!shown || !view || !details) return no();
      const names = details.columns.map((column) => column.name), hidden = names.filter((name) => !shown.includes(name));
      if (hidden.length === names.length) { const last = names.find((name) => !view.hidden.includes(name)); set("uc-columns-shown", { value: [last] }); return no(); }
      return same([...hidden].sort(), [...view.hidden].sort()) ? no() : { ...view, hidden };
    },
  };
})();
