// Many rows for a model: an editable grid whose cells are checked as they are typed, filled by hand, from a spreadsheet's
// clipboard or from a CSV file that the browser reads itself. The server checks every cell again before it asks the model.
window.dash_clientside = window.dash_clientside || {};
window.dashAgGridFunctions = window.dashAgGridFunctions || {};
window.dash_clientside.manyRows = (() => {
  const REGION = "serving-many-region", GRID = "serving-many-grid", PREDICTION = "__prediction", SHARE = "__share";
  const no = () => window.dash_clientside.no_update;
  const region = () => document.getElementById(REGION);
  const api = () => { try { return window.dash_ag_grid.getApi(GRID); } catch { return null; } };
  const fields = () => JSON.parse(region().dataset.fields);
  const figure = (n) => n.toLocaleString("en-US");
  const plural = (n, one) => `${figure(n)} ${one}${n === 1 ? "" : "s"}`;
  let next = 1e6, sent = new Map();

  const problem = (field, value) => window.lakefrontField.problem(field, value);   // field_words.js

  const isBlank = (row, all) => all.every((field) => String(row[field.name] ?? "").trim() === "");
  const wrong = (row, name) => {
    const all = fields(), field = all.find((one) => one.name === name);
    return field && row && !isBlank(row, all) ? problem(field, row[name]) : null;
  };
  window.dashAgGridFunctions.lakefrontWrong = (params) => wrong(params.data, params.colDef.field);
  window.dashAgGridFunctions.lakefrontPrediction = (value) => {
    if (value === undefined || value === null) return "";
    if (typeof value !== "number") return String(value);
    const text = Number.isInteger(value) ? figure(value) : Math.abs(value) >= 1 ? value.toFixed(2) : value.toPrecision(3);
    return text.replace("-", "−");
  };
  window.dashAgGridFunctions.lakefrontEdited = (params) => {
    if ([PREDICTION, SHARE].includes(params.colDef.field)) return;
    for (const name of [PREDICTION, SHARE]) if (params.data[name] !== undefined) params.node.setDataValue(name, undefined);   // an edited row is not answered
    params.api.refreshCells({ rowNodes: [params.node], force: true });
    count();
  };
  window.dashAgGridFunctions.lakefrontFocused = (params) => {
    const node = params.api.getDisplayedRowAtIndex(params.rowIndex), name = params.column?.getColDef?.().field;
    const words = node && name ? wrong(node.data, name) : null;
    if (words) say(`Row ${params.rowIndex + 1}, ${name}: ${words}`, "danger"); else count();
  };

  const say = (words, tone = "") => {
    const line = document.getElementById("serving-many-status");
    if (line) { line.textContent = words; line.className = `small ${tone ? `is-${tone}` : "dim"}`; }
  };
  const rows = () => { const found = []; api()?.forEachNode((node) => found.push(node.data)); return found; };
  const count = () => {
    const all = fields(), filled = rows().filter((row) => !isBlank(row, all));
    const bad = filled.reduce((sum, row) => sum + all.filter((field) => problem(field, row[field.name])).length, 0);
    say(`${plural(filled.length, "row")} to predict${bad ? ` · ${plural(bad, "value")} to mend` : ""}`, bad ? "danger" : "");
  };

  // --- rows: add, remove, replace ---------------------------------------------------------------------------------------
  const made = (values = {}) => ({ __id: String(next++), ...values });
  const cap = () => Number(region().dataset.cap);
  const add = () => {
    const grid = api();
    if (rows().length >= cap()) return say(`At most ${figure(cap())} rows.`, "danger");
    const { add: [node] } = grid.applyTransaction({ add: [made()] });
    grid.ensureIndexVisible(node.rowIndex);
    grid.setFocusedCell(node.rowIndex, fields()[0].name);
    count();
  };
  const remove = () => {
    const grid = api(), chosen = grid.getSelectedRows();
    if (!chosen.length) return say("Choose rows first, with the boxes at their left.");
    grid.applyTransaction({ remove: chosen });
    if (!rows().length) grid.applyTransaction({ add: [made()] });
    count();
    say(`${plural(chosen.length, "row")} removed.`);
  };
  const replace = (list) => {
    const grid = api();
    grid.applyTransaction({ remove: rows(), add: list.slice(0, cap()) });
    count();
  };

  // --- tables as text: RFC 4180, with the delimiter that the first line shows ----------------------------------------------
  const parse = (text, delimiter) => {
    const table = [[]];
    let cell = "", quoted = false, at = 0;
    const close = () => { table.at(-1).push(cell); cell = ""; };
    for (; at < text.length; at++) {
      const sign = text[at];
      if (quoted) {
        if (sign === '"' && text[at + 1] === '"') { cell += '"'; at++; } else if (sign === '"') quoted = false; else cell += sign;
      } else if (sign === '"' && cell === "") quoted = true;
      else if (sign === delimiter) close();
      else if (sign === "\n" || sign === "\r") { if (sign === "\r" && text[at + 1] === "\n") at++; close(); table.push([]); }
      else cell += sign;
    }
    if (cell !== "" || table.at(-1).length) close();
    return table.filter((line) => line.some((one) => one.trim() !== ""));
  };
  const delimiterOf = (text) => {
    const line = text.slice(0, text.search(/[\r\n]|$/));
    return ["\t", ";", ","].map((sign) => [line.split(sign).length, sign]).sort((a, b) => b[0] - a[0])[0][1];
  };
  const place = (head) => {
    const names = fields().map((field) => field.name), plain = (name) => name.trim().toLowerCase();
    return head.map((name) => names.find((one) => one === name.trim()) ?? names.find((one) => plain(one) === plain(name)) ?? null);
  };

  const paste = (text) => {
    const grid = api(), names = fields().map((field) => field.name), table = parse(text, text.includes("\t") ? "\t" : delimiterOf(text));
    if (!table.length) return;
    const heads = place(table[0]), titled = table.length > 1 && heads.some(Boolean) && heads.filter(Boolean).length * 2 >= heads.length;
    const lines = titled ? table.slice(1) : table, focus = grid.getFocusedCell();
    const from = Math.max(0, names.indexOf(focus?.column?.getColId?.() ?? names[0])), top = focus?.rowIndex ?? 0;
    const columns = titled ? heads : table[0].map((_, index) => names[from + index] ?? null);
    const there = []; grid.forEachNodeAfterFilterAndSort((node) => there.push(node.data));
    const update = [], more = [];
    lines.forEach((line, index) => {
      const values = Object.fromEntries(columns.map((name, column) => [name, line[column] ?? ""]).filter(([name]) => name));
      if (there[top + index]) update.push({ ...there[top + index], ...values, [PREDICTION]: undefined, [SHARE]: undefined });
      else if (there.length + more.length < cap()) more.push(made(values));
    });
    grid.stopEditing(true);
    grid.applyTransaction({ update, add: more });
    count();
    const cut = lines.length - update.length - more.length;
    if (cut) say(`Pasted ${plural(lines.length - cut, "row")}; ${figure(cut)} more are beyond the ${figure(cap())} that fit.`, "danger");
  };

  const read = async (file) => {
    const most = Number(region().dataset.bytes);
    if (file.size > most) return say(`${file.name} has ${(file.size / 1e6).toFixed(1)} MB; at most ${most / 1e6} MB are read.`, "danger");
    let text;
    try { text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()); }
    catch { return say(`${file.name} is not UTF-8 text. Save it as CSV (UTF-8).`, "danger"); }
    text = text.replace(/^\uFEFF/, "");
    const table = parse(text, delimiterOf(text));
    const columns = table.length ? place(table[0]) : [];
    if (!columns.some(Boolean)) return say(`The first line of ${file.name} names none of ${fields().map((one) => one.name).join(", ")}.`, "danger");
    const lines = table.slice(1);
    replace(lines.map((line) => made(Object.fromEntries(columns.map((name, index) => [name, line[index] ?? ""]).filter(([name]) => name)))));
    const left = table[0].filter((_, index) => !columns[index]);
    const facts = [`${plural(Math.min(lines.length, cap()), "row")} read from ${file.name}`];
    if (left.length) facts.push(`not used: ${left.join(", ")}`);
    if (lines.length > cap()) facts.push(`cut at ${figure(cap())} of ${figure(lines.length)} rows`);
    say(facts.join(" · "), lines.length > cap() ? "danger" : "");
  };
  const choose = () => {
    let input = document.getElementById("serving-many-file");
    if (!input) {
      // A real file input, outside of what React draws; the button that opens it is what people meet.
      input = Object.assign(document.createElement("input"), { type: "file", id: "serving-many-file", accept: ".csv,.tsv,.txt,text/csv", hidden: true });
      input.addEventListener("change", async () => { if (input.files[0]) await read(input.files[0]); input.value = ""; });
      document.body.append(input);
    }
    return input;
  };

  // --- what Dash asks -----------------------------------------------------------------------------------------------------
  const key = (row) => JSON.stringify(fields().map((field) => row[field.name] ?? ""));
  const collect = (pressed) => {
    const grid = api();
    if (!pressed || !grid) return no();
    grid.stopEditing();
    const all = fields(), found = [];
    let first = null;
    grid.forEachNodeAfterFilterAndSort((node) => {
      if (isBlank(node.data, all)) return;
      const bad = all.find((field) => problem(field, node.data[field.name]));
      if (bad && !first) first = { node, bad };
      found.push(node.data);
    });
    grid.refreshCells({ force: true });
    if (!found.length) { say("Nothing to predict: every row is empty.", "danger"); return no(); }
    if (first) {
      grid.ensureIndexVisible(first.node.rowIndex);
      grid.ensureColumnVisible(first.bad.name);
      grid.setFocusedCell(first.node.rowIndex, first.bad.name);
      say(`Not asked. Row ${first.node.rowIndex + 1}, ${first.bad.name}: ${problem(first.bad, first.node.data[first.bad.name])}`, "danger");
      return no();
    }
    sent = new Map(found.map((row) => [row.__id, key(row)]));
    return { at: Date.now(), columns: all.map((field) => field.name), rows: found.map((row) => all.map((field) => row[field.name] ?? "")) };
  };
  let asked = null;
  const ask = (ticks) => {
    if (!ticks || (asked && Date.now() - asked < 20000)) return no();   // a question that got lost is asked again
    asked = Date.now();
    return asked;
  };
  const seen = () => { asked = null; return no(); };
  const fill = (answer) => {
    const grid = api();
    if (!answer || !grid) return no();
    const update = [];
    [...sent.keys()].forEach((id, index) => {
      const node = grid.getRowNode(id);
      if (node && index < answer.values.length && sent.get(id) === key(node.data)) update.push({ ...node.data, [PREDICTION]: answer.values[index], [SHARE]: answer.shares?.[index] });
    });
    grid.applyTransaction({ update });
    return no();
  };

  // "Score" of the explorer takes along what its address says at this moment: table, filter, order.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-scores]");
    if (link) link.href = `/model-serving?score=${encodeURIComponent(location.search.slice(1))}`;
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#serving-many-add")) add();
    if (event.target.closest("#serving-many-remove")) remove();
    if (event.target.closest("#serving-many-open")) choose().click();
  });
  document.addEventListener("paste", (event) => {
    if (!event.target.closest?.(`#${REGION}`) || !api()) return;
    const text = event.clipboardData.getData("text/plain");
    if (event.target.matches("input, textarea") && !/[\t\n]/.test(text.trim())) return;   // one value into one cell
    event.preventDefault();
    paste(text);
  });
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => {
    if (!event.target.closest?.(`#${REGION}`) || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (kind === "drop" && event.dataTransfer.files[0]) read(event.dataTransfer.files[0]);
  });
  new MutationObserver(() => { if (region()) choose(); }).observe(document.documentElement, { childList: true, subtree: true });

  return { collect, fill, ask, seen, parse };
})();
