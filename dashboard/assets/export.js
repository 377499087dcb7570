// Exports: the browser streams the JSON API's download, shows how far it is, and can stop it. Chunks go into a Blob, which
// browsers keep on disk when it is large, or straight into the file that the person chose where the browser offers that.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.exports = (() => {
  const no = () => window.dash_clientside.no_update;
  const figure = (n) => n.toLocaleString("en-US");
  const size = (n) => (n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`);
  const make = (tag, properties = {}, ...children) => { const node = Object.assign(document.createElement(tag), properties); node.append(...children); return node; };
  let running = null;

  const draw = (box, job) => {
    const done = job.state === "done" ? 100 : job.total ? Math.min(100, (100 * job.rows) / job.total) : 0;
    const meter = make("div", { className: "lf-meter" }, make("i")), values = { role: "progressbar", "aria-label": "Export" };
    if (job.state === "running" && !done) meter.classList.add("unknown");   // a Parquet file does not tell its rows before its end
    else { meter.firstChild.style.width = `${done}%`; Object.assign(values, { "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(done)) }); }
    for (const [name, value] of Object.entries(values)) meter.setAttribute(name, value);
    const left = job.rows && job.total ? Math.max(0, ((job.total - job.rows) * (Date.now() - job.since)) / job.rows / 1000) : null;
    const facts = [job.note ?? `${size(job.bytes)} written`];
    if (job.state === "running" && left !== null) facts.push(`about ${Math.ceil(left)} s left`);
    if (job.truncated) facts.push(`cut at ${figure(job.cap)} rows: the filter leaves more`);
    else if (job.cap) facts.push(`at most ${figure(job.cap)} rows`);
    const title = { running: `Exporting to ${job.label}`, done: `Exported to ${job.label}`, cancelled: "Export cancelled", failed: "Export failed" }[job.state];
    const rows = job.total === null ? "" : job.format === "csv" || job.state === "done" ? `${figure(job.state === "done" ? job.total : job.rows)} of ${figure(job.total)} rows` : `${figure(job.total)} rows`;
    const button = make("button", { type: "button", className: "btn btn-sm push", textContent: job.state === "running" ? "Cancel" : "Close" });
    button.onclick = () => { if (job.state === "running") job.stop.abort(); else box.hidden = true; };
    const held = box.contains(document.activeElement);
    box.replaceChildren(
      make("div", { className: "row-flex" }, make("b", { textContent: title }), make("span", { className: "push small dim", textContent: rows })),
      meter,
      make("div", { className: "row-flex small dim" }, make("span", { textContent: facts.join(" · ") }), button),
    );
    box.hidden = false;
    if (held) button.focus();
  };

  const save = (parts, job) => {
    const link = make("a", { href: URL.createObjectURL(new Blob(parts, { type: job.type })), download: job.name });
    document.body.append(link); link.click(); link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  const run = async (order, box) => {
    const job = { state: "running", rows: 0, bytes: 0, total: null, cap: null, since: Date.now(), format: order.format, label: order.format === "csv" ? "CSV" : "Parquet", name: order.name, stop: new AbortController() };
    running?.stop.abort();
    running = job;
    draw(box, job);
    try {
      const answer = await fetch(order.url, { method: "POST", headers: { "Content-Type": "application/json" }, body: order.body, signal: job.stop.signal });
      if (!answer.ok) { const problem = await answer.json(); job.state = "failed"; job.note = problem.message; draw(box, job); return; }
      job.total = Number(answer.headers.get("X-Export-Total-Rows")); job.truncated = answer.headers.get("X-Export-Truncated") === "true"; job.cap = Number(answer.headers.get("X-Export-Row-Cap")) || job.cap;
      job.type = answer.headers.get("Content-Type");
      const reader = answer.body.getReader(), parts = [];
      let drawn = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value); job.bytes += value.length;
        if (job.format === "csv") for (let at = value.indexOf(10); at !== -1; at = value.indexOf(10, at + 1)) job.rows++;
        if (Date.now() - drawn > 200) { drawn = Date.now(); if (running === job) draw(box, job); }
      }
      save(parts, job);
      job.state = "done";
    } catch (problem) {
      job.state = problem.name === "AbortError" ? "cancelled" : "failed";
      job.note = job.state === "cancelled" ? "Nothing was kept" : "The download broke off; nothing was kept";
    }
    if (running === job) { draw(box, job); if (job.state !== "running") running = null; }
  };

  return { begin: (order) => { const box = document.getElementById("uc-job-box"); if (order && box) run(order, box); return no(); } };
})();
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#uc-copy-link, #uc-copy-link-more");
  if (!button) return;
  const label = button.querySelector("span");
  navigator.clipboard?.writeText(location.href).then(() => { label.textContent = "Link copied"; }, () => { label.textContent = "Not copied"; })
    .finally(() => setTimeout(() => { label.textContent = "Copy link"; }, 2000));
});
