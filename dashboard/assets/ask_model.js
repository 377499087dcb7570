// One question to a language model over the JSON API, its words as they come (server-sent events over fetch, because
// EventSource cannot POST), and the steps of an endpoint that wakes up meanwhile. Used by chat.js and completion.js.
window.lakefrontModel = (() => {
  const make = (tag, properties = {}, ...children) => { const node = Object.assign(document.createElement(tag), properties); node.append(...children); return node; };
  const icon = (name) => { const node = make("i", { className: `bi bi-${name}` }); node.setAttribute("aria-hidden", "true"); return node; };
  const short = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
  const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
  const base = (endpoint) => `/api/v1/model-serving/endpoints/${encodeURIComponent(endpoint)}`;
  const QUIET = 600, LOOK = 700;   // milliseconds: an endpoint that is awake begins sooner; how often to look whether it sleeps

  // --- the stream -----------------------------------------------------------------------------------------------------
  // Gives ["data", text] for each event, and ["note", object] for the comment that tells what a plain answer tells.
  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) yield ["data", line.slice(5).trim()];
        else if (line.startsWith(": {")) yield ["note", JSON.parse(line.slice(2))];
      }
    }
  }
  const broken = { error_code: "STREAM_BROKE_OFF", message: "The connection to the app ended before the answer did." };
  const pieceOf = (choice) => choice?.delta?.content ?? choice?.message?.content ?? choice?.text ?? "";

  const read = async (response, out, options) => {
    if (!response.ok) throw await response.json();
    if (!response.headers.get("Content-Type")?.includes("event-stream")) {
      const whole = await response.json();
      out.result = whole;
      out.usage = whole.response?.usage ?? null;
      out.text = pieceOf(whole.response?.choices?.[0]) || JSON.stringify(whole.response ?? whole.predictions);
      options.raw(JSON.stringify(whole, null, 2));
      return;
    }
    for await (const [kind, data] of events(response)) {
      if (kind === "note") { out.result = data; continue; }
      options.raw(`data: ${data}\n\n`);
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw chunk.error;
      out.usage = chunk.usage ?? out.usage;
      const piece = pieceOf(chunk.choices?.[0]);
      if (piece) { out.first ??= performance.now() - out.started; out.text += piece; options.words(out); }
    }
    throw broken;   // a stream that is whole ends in [DONE]
  };

  // --- an endpoint that sleeps ------------------------------------------------------------------------------------------
  // While nothing comes, look whether the endpoint sleeps, and show a copy of the steps that the server drew.
  const watch = (endpoint, place, out) => {
    const since = Date.now();
    let over = false, shown = "";
    const show = (state) => {
      const draft = document.querySelector(`[data-waking="${state}"]`);
      if (!draft || shown === state) return;
      shown = state;
      const copy = draft.cloneNode(true);
      copy.removeAttribute("data-waking");
      for (const clock of copy.querySelectorAll("[data-clock]")) clock.dataset.at = String(since);
      place.replaceChildren(copy);
    };
    (async () => {
      for (await sleep(QUIET); !over; await sleep(LOOK)) {
        const found = await fetch(base(endpoint)).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
        if (over || !found) continue;
        if (found.asleep) show("asleep"); else if (shown) show("awake"); else return;   // slow, but awake
      }
    })();
    return { get waking() { return shown !== "" && !out.text; }, stop() { over = true; place.replaceChildren(); } };
  };

  // --- the question -----------------------------------------------------------------------------------------------------
  // options: endpoint, body (JSON text), stream, signal, place (for the steps), raw(text), words(out), tick(out).
  // Never throws: out.state is done, stopped or failed; out.text is what came, also when it broke off.
  const ask = async (options) => {
    const out = { state: "open", text: "", usage: null, result: null, first: null, problem: null, waking: false, started: performance.now(), took: 0 };
    const watching = watch(options.endpoint, options.place, out);
    const tick = () => { out.took = performance.now() - out.started; out.waking = watching.waking; options.tick(out); };
    const ticking = setInterval(tick, 100);
    const words = (now) => { watching.stop(); options.words(now); };
    try {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${base(options.endpoint)}/invocations${options.stream ? "?stream=true" : ""}`, { method: "POST", headers, body: options.body, signal: options.signal });
      await read(response, out, { ...options, words });
      out.state = "done";
    } catch (problem) {
      out.state = problem.name === "AbortError" ? "stopped" : "failed";
      if (out.state === "failed") out.problem = problem.error_code ? problem : broken;
    } finally {
      clearInterval(ticking);
      watching.stop();
      out.took = performance.now() - out.started;
      // the row of the history is written after the last word; the list asks again when an endpoint woke up
      setTimeout(() => window.dash_clientside?.set_props?.("serving-answered", { data: Date.now() / 1000 }), out.state === "done" ? 100 : 600);
    }
    return out;
  };

  // --- what is said about it ----------------------------------------------------------------------------------------------
  const doing = (out, stream) => `${out.waking ? "waking up" : !stream ? "waiting" : out.text ? "writing" : "asking"}, ${short(out.took)}`;
  const facts = (out) => [
    out.first === null ? "" : `first word after ${short(out.first)}`,
    out.state === "done" ? `${short(out.took)} in all` : `${out.state} after ${short(out.took)}`,
    out.usage?.completion_tokens ? `${out.usage.completion_tokens} tokens` : "",
  ].filter(Boolean).join(", ");
  const kept = (out) => (!out.result ? "" : out.result.logged ? "written to your history" : `not written to your history: ${out.result.log_error}`);
  const title = ({ problem, text }) => {
    const limit = problem.technical_details?.timeout_seconds;
    if (problem.error_code === "INVALID_INPUT") return "The model refused the input. ";
    if (problem.error_code === "INVALID_REQUEST") return "Not asked. ";
    if (text) return "The answer broke off here; what came is kept. ";
    return limit ? `No answer within ${limit} s. ` : "No answer. ";
  };
  const failure = (out) => {
    const id = out.problem.technical_details?.request_id;
    const small = make("div", { className: "small dim lf-error-facts", textContent: `${out.problem.error_code}${id ? ` · request ${id}` : ""}` });
    const said = make("div", {}, make("b", { textContent: title(out) }), out.problem.message, small);
    return Object.assign(make("div", { className: "lf-note is-danger" }, icon("x-octagon-fill"), said), { role: "alert" });
  };
  const strip = (line, out, stream) => {
    if (!line) return;
    const open = out.state === "open";
    line.classList.toggle("running", open);
    line.querySelector("[data-live-time]").textContent = open ? doing(out, stream) : out.state === "done" ? short(out.took) : `${out.state} after ${short(out.took)}`;
    const tokens = out.usage?.completion_tokens;
    line.querySelector("[data-live-facts]").textContent = open ? "" : [tokens ? `${tokens} tokens` : "", kept(out)].filter(Boolean).join(" · ");
  };
  return { ask, doing, facts, failure, icon, make, strip };
})();
