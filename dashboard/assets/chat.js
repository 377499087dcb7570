// The chat: sends to the JSON API and shows the words as they come (server-sent events over fetch, because EventSource
// cannot POST). Marked up by dashboard/components/serving.py. Texts of people and models are only ever set as text.
(() => {
  const chats = new WeakMap();   // element -> {messages, running}
  const of = (chat) => { if (!chats.has(chat)) chats.set(chat, { messages: [], running: null }); return chats.get(chat); };
  const make = (tag, properties = {}, ...children) => { const node = Object.assign(document.createElement(tag), properties); node.append(...children); return node; };
  const icon = (name) => { const node = make("i", { className: `bi bi-${name}` }); node.setAttribute("aria-hidden", "true"); return node; };
  const short = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
  const clock = () => new Date().toLocaleTimeString("en-GB");

  const message = (chat, who, facts) => {
    const mine = who === "You", mark = make("span", { className: mine ? "lf-avatar" : "bot" }, mine ? (document.querySelector(".lf-who .lf-avatar")?.textContent ?? "Y") : icon("cpu"));
    mark.setAttribute("aria-hidden", "true");
    const about = make("span", { textContent: facts }), body = make("div", { className: "lf-said" });
    const node = make("div", { className: "lf-msg" }, mark, make("div", { className: "who" }, make("b", { textContent: who }), " ", about), body);
    const log = chat.querySelector("[data-chat-log]");
    log.append(node); log.scrollTop = log.scrollHeight;
    return { node, about, body, log };
  };
  const strip = (chat, words, running, facts = "") => {
    const line = document.getElementById("chat-waterline");
    if (!line) return;
    line.classList.toggle("running", running);
    line.querySelector("[data-chat-time]").textContent = words;
    line.querySelector("[data-chat-facts]").textContent = facts;
  };
  const number = (id) => { const value = document.getElementById(id)?.value.trim(); return value ? Number(value) : undefined; };

  const body = (chat, stream) => {
    const system = document.getElementById("chat-system")?.value.trim(), out = { messages: [...(system ? [{ role: "system", content: system }] : []), ...of(chat).messages] };
    for (const name of ["temperature", "max_tokens"]) { const value = number(`chat-${name}`); if (value !== undefined) out[name] = value; }
    return JSON.stringify({ ...out, timeout_seconds: 300, ...(stream ? { stream: true } : {}) });
  };

  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
    }
  }

  const failure = (answer, problem) => {
    const details = problem.technical_details ?? {};
    const small = make("div", { className: "small dim lf-error-facts", textContent: `${problem.error_code}${details.request_id ? ` · request ${details.request_id}` : ""}` });
    const text = make("div", {}, make("b", { textContent: "No answer. " }), problem.message, small);
    answer.body.append(Object.assign(make("div", { className: "lf-note is-danger" }, icon("x-octagon-fill"), text), { role: "alert" }));
  };

  const send = async (chat) => {
    const talk = of(chat), box = chat.querySelector("#chat-message"), text = box.value.trim();
    if (!text || talk.running) return;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, "");
    box.dispatchEvent(new Event("input", { bubbles: true }));
    message(chat, "You", clock()).body.textContent = text;
    talk.messages.push({ role: "user", content: text });
    await ask(chat);
  };

  // what is sent, for the JSON and code beside the chat
  const tell = (chat) => {
    const out = JSON.parse(body(chat, false)), typed = chat.querySelector("#chat-message")?.value.trim();
    delete out.timeout_seconds;
    if (typed || !out.messages.some((one) => one.role === "user")) out.messages.push({ role: "user", content: typed || "Hello" });
    window.dash_clientside?.set_props?.("serving-chat-request", { data: JSON.stringify(out) });
  };

  const ask = async (chat) => {
    const talk = of(chat), name = chat.dataset.chat, stream = document.getElementById("chat-stream")?.checked ?? true, started = performance.now();
    const answer = message(chat, name, "writing"), words = make("div", { className: "lf-prose" }), cursor = make("span", { className: "lf-cursor" });
    const raw = document.querySelector("#chat-raw pre"), stopper = chat.querySelector("[data-chat-stop]"), sender = chat.querySelector("[data-chat-send]");
    answer.body.append(words); words.append(cursor);
    if (raw) raw.textContent = "";
    talk.running = new AbortController();
    stopper.hidden = false; sender.disabled = true;
    let text = "", first = null, usage = null, state = "done";
    const show = () => { words.replaceChildren(text, ...(talk.running ? [cursor] : [])); answer.log.scrollTop = answer.log.scrollHeight; };
    const ticking = setInterval(() => { const so = short(performance.now() - started); answer.about.textContent = `writing, ${so}`; strip(chat, `${stream ? "streaming" : "waiting"}, ${so}`, true); }, 100);
    try {
      const response = await fetch(`/api/v1/model-serving/endpoints/${encodeURIComponent(name)}/invocations${stream ? "?stream=true" : ""}`,
        { method: "POST", headers: { "Content-Type": "application/json" }, body: body(chat, stream), signal: talk.running.signal });
      if (!response.ok) throw await response.json();
      if (!response.headers.get("Content-Type")?.includes("event-stream")) {
        const whole = await response.json();
        text = whole.response?.choices?.[0]?.message?.content ?? JSON.stringify(whole.response ?? whole.predictions);
        usage = whole.response?.usage;
        if (raw) raw.textContent = JSON.stringify(whole, null, 2);
      } else for await (const data of events(response)) {
        if (raw) raw.textContent += `data: ${data}\n\n`;
        if (data === "[DONE]") break;
        const chunk = JSON.parse(data);
        if (chunk.error) throw chunk.error;
        const piece = chunk.choices?.[0]?.delta?.content;
        usage = chunk.usage ?? usage;
        if (piece) { first ??= performance.now() - started; text += piece; show(); }
      }
    } catch (problem) {
      state = problem.name === "AbortError" ? "stopped" : "failed";
      if (state === "failed") failure(answer, problem.error_code ? problem : { error_code: "NETWORK", message: "The connection to the app broke off." });
    } finally {
      clearInterval(ticking);
      talk.running = null;
      const took = short(performance.now() - started), tokens = usage?.completion_tokens;
      show();
      const facts = [first === null ? "" : `first word after ${short(first)}`, state === "done" ? `${took} in all` : `${state} after ${took}`, tokens ? `${tokens} tokens` : ""];
      answer.about.textContent = facts.filter(Boolean).join(", ");
      strip(chat, state === "done" ? took : `${state} after ${took}`, false, tokens ? `${tokens} tokens` : "");
      stopper.hidden = true; sender.disabled = false;
      if (text) talk.messages.push({ role: "assistant", content: text });
      actions(chat, answer, text);
      answer.log.scrollTop = answer.log.scrollHeight;
      setTimeout(() => document.getElementById("serving-history-refresh")?.click(), 600);   // its row is written after the last word
    }
  };
  const actions = (chat, answer, text) => {
    const copy = make("button", { type: "button", className: "btn btn-ghost btn-sm" }, icon("copy"), make("span", { textContent: "Copy" })); copy.dataset.copy = text;
    const again = make("button", { type: "button", className: "btn btn-ghost btn-sm" }, icon("arrow-clockwise"), make("span", { textContent: "Ask again" })); again.dataset.chatAgain = "";
    answer.body.append(make("div", { className: "row-flex lf-said-actions" }, ...(text ? [copy] : []), again));
    for (const old of chat.querySelectorAll("[data-chat-again]")) if (old !== again) old.remove();
  };

  document.addEventListener("click", (event) => {
    const chat = event.target.closest("[data-chat]") ?? document.querySelector("[data-chat]");
    if (!chat) return;
    if (event.target.closest("[data-toggle=chat-code]")) tell(chat);
    if (event.target.closest("[data-chat-send]")) send(chat);
    if (event.target.closest("[data-chat-stop]")) of(chat).running?.abort();
    if (event.target.closest("[data-chat-new]") && !of(chat).running) { of(chat).messages = []; chat.querySelector("[data-chat-log]").replaceChildren(); chat.querySelector("#chat-message").focus(); }
    if (event.target.closest("[data-chat-again]") && !of(chat).running) {
      const talk = of(chat);
      if (talk.messages.at(-1)?.role === "assistant") talk.messages.pop();
      if (talk.messages.length) ask(chat);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "chat-message" && event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(event.target.closest("[data-chat]")); }
    const chat = event.target.closest?.("[data-chat]");
    if (chat && event.key === "Escape") of(chat).running?.abort();
  });
})();
