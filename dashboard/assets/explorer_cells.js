// How the grid looks and how its cells are written: the theme from the page's own colours; null, times, figures, nested
// values. Named by the column definitions (pages/unity_catalog/grid.py).
(() => {
  const { state } = window.lakefrontExplorer;

  window.dashAgGridFunctions.lakefrontGridTheme = (quartz) => quartz.withParams({
    backgroundColor: "var(--surface)", foregroundColor: "var(--ink)", chromeBackgroundColor: "var(--surface)",
    headerBackgroundColor: "var(--surface)", headerTextColor: "var(--ink-2)", headerFontWeight: 500, headerFontSize: 12,
    fontFamily: "inherit", fontSize: 13, dataFontSize: 13, accentColor: "var(--accent)", borderColor: "var(--line)",
    rowBorder: { color: "var(--line)" }, columnBorder: false, wrapperBorder: false, wrapperBorderRadius: 0,
    rowHoverColor: "var(--hover)", oddRowBackgroundColor: "var(--surface)", selectedRowBackgroundColor: "var(--accent-soft)",
    rangeSelectionBorderColor: "var(--accent)", rowHeight: 28, headerHeight: 32, cellHorizontalPadding: 11, spacing: 6,
    iconSize: 14, borderRadius: 6, menuBackgroundColor: "var(--raised)", headerColumnResizeHandleColor: "transparent",
    headerColumnBorder: false, focusShadow: "0 0 0 1px var(--accent)", inputBorder: { color: "var(--line-control)" },
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
  // null is said, an empty text shows its quotes, times lose the T, doubles keep at least two decimals, nested values are
  // one line of JSON
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
})();
