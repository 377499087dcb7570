// Where the grid's rows come from: the page's own JSON API, straight from the browser, so that a block takes no longer than
// the API takes. What is no longer wanted is stopped on the warehouse, and its answer is never shown.
(() => {
  const page = window.lakefrontExplorer, { state, at, no, set, same, grid, parts } = page;
  const KEPT = 10;                  // as many blocks as the grid keeps (maxBlocksInCache)
  const reading = new Map();        // first row of a block -> {key, stop, ahead}: what is being read
  const answers = new Map();        // first row of a block -> the API's answer
  let of = "";                      // which rows, in which order, in which blocks: what `answers` belongs to
  let told = null, number = 0, ahead = null;
  let early = null;                 // {rows, one, answer}: the first block, asked for while the grid is still being made

  const wanted = () => document.querySelector("#uc-grid")?.closest("[data-table]")?.dataset.table === state.view?.table;
  const waits = () => at("uc-running")?.classList.toggle("on", [...reading.values()].some((one) => !one.ahead));
  const stop = (firsts) => {   // gives the keys under which the warehouse knows the statements
    const keys = [];
    for (const first of firsts) {
      const one = reading.get(first);
      keys.push(one.key);
      reading.delete(first);
      one.stop.abort();
    }
    if (keys.length) waits();
    return keys;
  };
  const cancel = (keys, by, restored) => {
    if (keys.length) set("uc-cancelled", { data: { keys, by, restored, at: Date.now() } });
  };
  const drop = (keys) => {   // the page itself has gone: no callback will follow
    for (const key of keys) {
      fetch(`/api/v1/unity-catalog/statements/${key}`, { method: "DELETE", keepalive: true }).catch(() => {});
    }
  };
  const destroyed = () => {   // another view of the table, another table, or another page
    const keys = stop([...reading.keys()]);
    setTimeout(() => (at("uc-page") ? cancel(keys, "moved", true) : drop(keys)));
  };
  const discardEarly = () => {   // gives its key, as `stop` does
    const keys = early ? [early.one.key] : [];
    early?.one.stop.abort();
    early = null;
    return keys;
  };
  addEventListener("pagehide", () => drop([...stop([...reading.keys()]), ...discardEarly()]));

  const statement = (isAhead) => ({ key: `${state.key}.${++number}`, stop: new AbortController(), ahead: isAhead });
  const rowsOf = (sort, size) => JSON.stringify([state.key, sort, size]);
  const ask = async (first, size, sort, one) => {
    const { filter, table } = state.view, body = { limit: size, offset: first, sort };
    if (filter.length) body.filter = filter.length === 1 ? filter[0] : { and: filter };
    const url = `/api/v1/unity-catalog/tables/${parts(table).map(encodeURIComponent).join("/")}/query?cancel_key=${one.key}`;
    const answer = await fetch(url, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: one.stop.signal,
    });
    const found = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(found.message), { body: found });
    return found;
  };
  const deliver = (block, answer) => {
    const { offset, returned, next_offset: next } = answer.pagination;
    const total = state.total?.key === state.key ? state.total.rows : undefined;
    block.successCallback(answer.rows, next === null ? offset + returned : total);
    page.arrived(offset);
  };
  const read = async (block) => {
    const first = block.startRow, size = block.endRow - first;
    const sort = block.sortModel.map((term) => ({ column: term.colId, direction: term.sort })), rows = rowsOf(sort, size);
    if (rows !== of) {   // other rows, or another order of them: what is on its way belongs to the old ones
      cancel(stop([...reading.keys()]), "moved", true);
      answers.clear();
      of = rows;
    }
    if (answers.has(first)) { deliver(block, answers.get(first)); return; }
    if (!wanted()) { block.failCallback(); return; }
    const begun = first === 0 && early?.rows === rows ? early : null;
    if (begun) early = null;
    else cancel(discardEarly(), "moved", true);
    const one = begun?.one ?? statement(ahead === first);
    ahead = null;
    reading.set(first, one);
    waits();
    try {
      const answer = await (begun?.answer ?? ask(first, size, sort, one));
      if (one.stop.signal.aborted) { block.failCallback(); return; }
      reading.delete(first);
      if (answers.size >= KEPT) answers.delete(answers.keys().next().value);
      answers.set(first, answer);
      deliver(block, answer);
    } catch (problem) {
      block.failCallback();   // every request is answered or failed, or the grid would wait for ever
      if (one.stop.signal.aborted) return;
      reading.delete(first);
      if (!one.ahead) set("uc-grid-failed", { data: { problem: problem.body ?? null, at: Date.now() } });
    }
    waits();
  };

  // The table may be read and its grid is on its way: the warehouse need not wait for it.
  page.begin = () => {
    if (state.view?.view !== "rows" || !state.key) return;
    cancel(discardEarly(), "moved", true);
    const one = statement(false), size = state.view.page_size;
    const sort = state.view.sort.map(({ column, direction }) => ({ column, direction }));
    early = { rows: rowsOf(sort, size), one, answer: ask(0, size, sort, one) };
    early.answer.catch(() => {});   // whoever reads the block is told
  };

  // What the page says of the rows it shows (the strip, the statement, the empty state) follows the rows, never delays them.
  const tellOf = (first) => {
    const answer = answers.get(first);
    if (!answer || answer === told) return;
    told = answer;
    const last = { key: state.key, query: answer.query, empty: answer.pagination.returned === 0 && first === 0 };
    setTimeout(() => { if (told === answer && at("uc-page")) set("uc-last-query", { data: last }); }, 30);
  };
  // One block is read ahead while a person pages forward and the browser has nothing else to do. It costs one statement,
  // which is cancelled when they go elsewhere.
  const readAhead = (api, first) => {
    const next = first + api.paginationGetPageSize();
    if (api.isDestroyed?.() || reading.size || answers.has(next) || next >= api.paginationGetRowCount()) return;
    ahead = next;
    api.getDisplayedRowAtIndex(next);   // asking for the row makes the grid read its block
  };
  page.pageShown = (api, first) => {
    const here = [first, page.turningTo()];
    const elsewhere = [...reading.keys()].filter((one) => !here.includes(one) && one !== first + api.paginationGetPageSize());
    cancel(stop(elsewhere), "moved", true);
    for (const one of here) if (reading.has(one)) reading.get(one).ahead = false;
    waits();
    tellOf(first);
    if (!page.forward || !answers.has(first) || page.turningTo() !== null) return;
    page.forward = false;
    (window.requestIdleCallback ?? setTimeout)(() => readAhead(api, first));
  };
  // A block that failed, or was cancelled because the page was left, is read again when it is asked for again; the grid
  // reads all of its blocks then, and the others come from `answers`.
  page.askAgain = (api, first) => {
    const block = first / api.paginationGetPageSize();
    if (api.getCacheBlockState()?.[block]?.pageStatus === "failed") api.refreshInfiniteCache();
    if (at("uc-grid-state")?.childElementCount) set("uc-grid-state", { children: [] });
  };

  page.adopt({
    // dash-ag-grid answers its grid through callbacks, one request at a time. Its first request tells that the grid is
    // there: it is failed, and the grid gets this source instead.
    take: (request) => {
      if (!request) return no();
      request.failCallback();
      of = "";   // a new grid reads anew
      request.api.setGridOption("datasource", { getRows: read, destroy: destroyed });
      return no();
    },
    // Table or filter changed: what ran for the old one is stopped on the warehouse, the first block is read again. The old
    // rows stay, dimmed, until the new ones are here.
    reload: (asked) => {
      if (!asked) return no();
      const old = state.key, [table] = JSON.parse(asked.of), busy = at("uc-running")?.classList.contains("on");
      const keys = stop([...reading.keys()]), counting = state.total?.key !== old;
      state.key = asked.key;
      page.stay();
      if (old && (busy || counting || keys.length)) cancel([...keys, old], "moved", true);
      set("uc-count-text", { children: old === null ? "" : "Counting…" });
      const api = grid();
      if (!api || at("uc-grid").closest("[data-table]")?.dataset.table !== table) return no();
      set("uc-grid-state", { children: [] });
      api.paginationGoToFirstPage();
      const size = api.paginationGetPageSize();
      api.setRowCount(Math.min(size, api.paginationGetRowCount() || size), false);   // forgets every other block
      api.refreshInfiniteCache();
      return no();
    },
    answered: (last, view) => { if (last && last.key === state.key) state.good = view; return no(); },
    // When the total is asked for: after the first rows, or at once where no rows are read.
    whenToCount: (last, shown, asked, count, counting, view) => {
      if (!asked || count?.key === asked.key || counting === asked.key || !view || !shown || shown[0] !== view.table) return no();
      if (view.view === "details" || (view.view === "rows" && last?.key !== asked.key)) return no();
      return asked.key;
    },
  });

  const stopAll = () => {   // Cancel: back to the view of the last rows where there is one
    const old = state.good, view = state.view;
    const restored = Boolean(old && view && old.table === view.table && !same(old.filter, view.filter));
    cancel([...stop([...reading.keys()]), state.key], "person", restored);
    if (restored) set("uc-view", { data: { ...view, filter: old.filter, sort: old.sort } });
  };
  const again = () => {
    const api = grid();
    if (!api) { set("uc-sought", { data: [state.view.table, state.view.view, Date.now()] }); return; }
    answers.clear();
    set("uc-grid-state", { children: [] });
    api.purgeInfiniteCache();
  };
  Object.assign(page.presses, { "uc-rows-cancel": stopAll, "uc-starting-cancel": stopAll, "uc-rows-retry": again });
})();
