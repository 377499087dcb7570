// The chart builder: its sentence becomes part of the view, a click on a bar or on a line of its data becomes a filter.
// The aggregates themselves are the server's (pages/unity_catalog/chart.py).
(() => {
  const page = window.lakefrontExplorer, { no, set, same } = page;
  const groups = ["text", "boolean", "integer", "date"];

  page.adopt({
    say: (kind, first, second, group, bucket, group2, add, said, view, details) => {
      if (!said || view?.view !== "chart" || !details || kind === undefined) return no();
      const columns = details.columns;
      const time = (name) => ["date", "timestamp"].includes(columns.find((column) => column.name === name)?.kind);
      const chosen = (value) => (value && value !== "none" ? value : "");
      if (window.dash_clientside.callback_context.triggered_id === "uc-chart-add-group" && add) {
        const others = columns.filter((column) => column.name !== group);
        group2 = (others.find((column) => groups.includes(column.kind)) ?? others[0])?.name;
      }
      if (chosen(group2) === group) group2 = "";
      const spec = {
        kind, first, second: chosen(second), group, bucket: time(group) ? chosen(bucket) || "day" : null,
        group2: chosen(group2), bucket2: time(chosen(group2)) ? "day" : null,
      };
      const unchanged = Object.keys(spec).every((name) => (spec[name] || "") === (said[name] || ""));
      return unchanged ? no() : { ...view, chart: spec };
    },
    showRows: (pressed, picked, view) => {
      if (!pressed || !picked) return no();
      const columns = new Set(picked.filter.map((one) => one.column));
      const kept = view.filter.filter((node) => !(columns.has(node.column) && picked.filter.some((one) => same(one, node))));
      return { ...view, view: "rows", filter: [...kept, ...picked.filter] };
    },
    clicked: (click) => {
      const point = click?.points?.[0];
      if (!point) return no();
      const many = document.querySelectorAll("#uc-chart .legend .traces").length > 1;
      const series = point.data?.type === "heatmap" ? point.y : many ? point.data?.name : null;
      const at = point.pointIndex ?? point.pointNumber ?? null;   // of a heat map: line and column
      return { place: Array.isArray(at) ? at.at(-1) : at, x: point.x ?? null, series, at: Date.now() };
    },
    picked: (data) => {
      for (const line of document.querySelectorAll(".lf-data tr.on")) line.classList.remove("on");
      const button = data && document.querySelector(`.lf-data [data-group="${data.place}"]`);
      button?.closest("tr").classList.add("on");
      return no();
    },
  });

  const asTable = () => {   // the data beside the chart, or, without room, in its place
    document.querySelector(".lf-chart-split").classList.toggle(page.wide.matches ? "one" : "table");
    page.showPressed();
  };
  page.presses["uc-chart-as-table"] = page.presses["uc-chart-as-table-more"] = asTable;
  document.addEventListener("click", (event) => {
    const group = event.target.closest?.("button[data-group]")?.dataset.group;
    if (group) set("uc-chart-row", { data: { place: Number(group), at: Date.now() } });
  });
})();
