// Place, page and page size: drives the grid's own paging. A page is turned when its rows are here, so that it is drawn
// once; when they take longer than a moment, it is turned at once and shows skeleton rows.
(() => {
  const page = window.lakefrontExplorer, { state, at, no, set, figure, tell, grid } = page;
  const MOMENT_MS = 100;
  let turning = null;   // {page, first, turn}: the page that will be shown when its rows are here

  const disable = (id, is) => {
    const button = at(id), held = document.activeElement === button;
    button.disabled = is;
    if (held && is) at("uc-pager-page").focus();
  };
  const widenNumbers = (api, last) => {
    const wide = Math.max(52, 9 * String(last).length + 20), number = api.getColumn("__row");
    if (number?.isVisible() && number.getActualWidth() < wide) api.setColumnWidths([{ key: "__row", newWidth: wide }]);
  };
  const numberPage = () => {
    const api = grid(), field = at("uc-pager-page");
    if (!api || !field || api.isDestroyed?.() || document.activeElement === field) return;
    const number = String(api.paginationGetCurrentPage() + 1);
    if (field.value !== number) set("uc-pager-page", { value: number });
  };
  page.place = () => {
    const api = grid(), label = at("uc-pager-place");
    if (!api || !label || api.isDestroyed?.()) return no();
    const size = api.paginationGetPageSize(), current = api.paginationGetCurrentPage(), rows = api.paginationGetRowCount();
    const known = api.isLastRowIndexKnown() === true, pages = Math.max(1, Math.ceil(rows / size));
    const first = rows ? current * size + 1 : 0, last = Math.min((current + 1) * size, rows);
    label.querySelector("b").textContent = `${figure(first)}–${figure(last)}`;
    tell("uc-pager-total", known ? `of ${figure(pages)}` : "of more");
    at("uc-pager-of").innerHTML = known ? ` of <b>${figure(rows)}</b>` : "";
    requestAnimationFrame(numberPage);   // through Dash, which takes longer than the rows should wait
    disable("uc-pager-first", current === 0);
    disable("uc-pager-previous", current === 0);
    disable("uc-pager-next", known && current + 1 >= pages);
    disable("uc-pager-last", !known || current + 1 >= pages);
    at("uc-pager").classList.remove("waiting");
    widenNumbers(api, last);
    page.pageShown(api, current * size);
    return no();
  };

  const goTo = (number) => {
    const api = grid();
    if (!api || number < 0) return;
    clearTimeout(turning?.timer);
    const size = api.paginationGetPageSize(), first = number * size;
    // a page beyond what is known so far: let the grid believe in its rows until the total says better
    if (api.isLastRowIndexKnown() !== true && number + 1 > api.paginationGetTotalPages()) api.setRowCount((number + 1) * size, false);
    const turn = () => {
      clearTimeout(turning?.timer);
      turning = null;
      api.paginationGoToPage(number);
      page.place();
    };
    page.askAgain(api, first);
    if (api.getDisplayedRowAtIndex(first)?.data) { turn(); return; }   // asking for the row makes the grid read its block
    turning = { number, first, turn, timer: setTimeout(turn, MOMENT_MS) };
  };
  page.arrived = (first) => { if (turning?.first === first) turning.turn(); };
  page.turningTo = () => turning?.first ?? null;
  page.stay = () => { clearTimeout(turning?.timer); turning = null; };
  const by = (pages) => () => {
    page.forward = pages > 0;   // the block after it is read ahead
    goTo((turning?.number ?? grid().paginationGetCurrentPage()) + pages);
  };

  const whole = (text, most, what) => {
    const wanted = Number(String(text).replace(/[, ]/g, "") || "x");
    if (Number.isInteger(wanted) && wanted >= 1 && (most === null || wanted <= most)) return [wanted, ""];
    const range = most === null ? "from 1" : `from 1 to ${figure(most)}`;
    return [null, `Whole number ${range} expected for the ${what}.`];
  };
  const known = (api, count) => (api.isLastRowIndexKnown() === true ? count : null);
  const jump = () => {
    const api = grid(), field = at("uc-jump-row");
    if (!api) return;
    const [row, problem] = whole(field.value, known(api, api.paginationGetRowCount()), "row");
    tell("uc-jump-message", problem);
    field.classList.toggle("is-invalid", row === null);
    if (row === null) return;
    page.closePop("uc-jump");
    page.stay();
    const size = api.paginationGetPageSize(), number = Math.floor((row - 1) / size);
    if (known(api, 1) === null && number + 1 > api.paginationGetTotalPages()) api.setRowCount((number + 1) * size, false);
    page.askAgain(api, number * size);
    api.paginationGoToPage(number);
    page.place();
    api.ensureIndexVisible(row - 1, "middle");
    const first = api.getAllDisplayedColumns().find((column) => column.getColId() !== "__row");
    if (first) setTimeout(() => api.setFocusedCell(row - 1, first), 60);   // once the row is drawn
  };
  const typed = (field) => {
    const api = grid();
    if (!api) return;
    const [number, problem] = whole(field.value, known(api, api.paginationGetTotalPages()), "page");
    tell("uc-pager-message", problem);
    field.classList.toggle("is-invalid", number === null);
    if (number !== null) goTo(number - 1);
  };
  const turned = (how) => () => { tell("uc-pager-message", ""); how(); };
  Object.assign(page.presses, {
    "uc-pager-first": turned(() => goTo(0)),
    "uc-pager-previous": turned(by(-1)),
    "uc-pager-next": turned(by(1)),
    "uc-pager-last": turned(() => goTo(grid().paginationGetTotalPages() - 1)),
    "uc-jump-go": jump,
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key === "Enter" && field.id === "uc-pager-page") typed(field);
    if (event.key === "Enter" && field.id === "uc-jump-row") jump();
    if (event.key === "Escape" && field.id === "uc-pager-page") {
      tell("uc-pager-message", "");
      field.classList.remove("is-invalid");
      set("uc-pager-page", { value: String(grid().paginationGetCurrentPage() + 1) });
    }
  });
  page.adopt({
    size: (size) => {
      const api = grid();
      if (!api || !size || Number(size) === api.paginationGetPageSize()) return no();
      api.setGridOption("paginationPageSize", Number(size));
      api.setGridOption("cacheBlockSize", Number(size));
      if (state.view) set("uc-view", { data: { ...state.view, page_size: Number(size) } });
      page.place();
      return no();
    },
  });
})();
