// The explorer in the browser: what its files (explorer_*.js, one idea each) share, and which button does what.
// Functions that Dash's clientside callbacks name are added to window.dash_clientside.explorer by the file they belong to.
window.dashAgGridFunctions = window.dashAgGridFunctions || {};
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.explorer = {};
window.lakefrontExplorer = (() => {
  const at = (id) => document.getElementById(id);
  const presses = {};   // id of a button -> what pressing it does
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button && Object.hasOwn(presses, button.id)) presses[button.id](button);
  });

  return {
    // view: what is looked at; good: the view of the last rows that came; key: of the statements of this table and filter;
    // total: {key, rows} when counted; names: of the columns; column: whose profile is shown; before: the table before this one
    state: { view: null, good: null, key: null, total: null, names: [], column: null, before: null, format: null },
    presses,
    at,
    no: () => window.dash_clientside.no_update,
    set: (id, props) => window.dash_clientside.set_props(id, props),
    same: (a, b) => JSON.stringify(a) === JSON.stringify(b),
    figure: (n) => n.toLocaleString("en-US"),
    tell: (id, text) => {
      const box = at(id);
      if (box && box.textContent !== text) box.textContent = text;
    },
    grid: () => {
      try { return at("uc-grid") ? window.dash_ag_grid.getApi("uc-grid") : null; } catch { return null; }
    },
    // catalog.schema.table; a part in backquotes may hold dots
    parts: (name) => {
      const out = [""];
      let quoted = false;
      for (const sign of name ?? "") {
        if (sign === "`") quoted = !quoted;
        else if (sign === "." && !quoted) out.push("");
        else out[out.length - 1] += sign;
      }
      return out;
    },
    phone: matchMedia("(max-width: 767.98px)"),
    wide: matchMedia("(min-width: 1200px)"),   // room for a profile beside the rows, for the data beside a chart
    adopt: (functions) => Object.assign(window.dash_clientside.explorer, functions),
  };
})();
