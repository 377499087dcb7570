// The chat: sends to the JSON API and shows the words as they come (ask_model.js). Marked up by
// dashboard/components/talk.py. What people and models wrote is only ever set as text (prose.js).
(() => {
  const { ask: send, doing, facts, failure, icon, make, strip } = window.lakefrontModel;
  const chats = new WeakMap();   // element -> {messages, running}
  const of = (chat) => { if (!chats.has(chat)) chats.set(chat, { messages: [], running: null }); return chats.get(chat); };
  const clock = () => `${new Date().toISOString().slice(11, 19)} UTC`;
  const line = () => document.getElementById("chat-waterline");

  const message = (chat, who, about) => {
    const mine = who === "You", mark = make("span", { className: mine ? "lf-avatar" : "bot" }, mine ? (document.querySelector(".lf-who .lf-avatar")?.textContent ?? "Y") : icon("cpu"));
    mark.setAttribute("aria-hidden", "true");
    const small = make("span", { textContent: about }), body = make("div", { className: "lf-said" });
    const node = make("div", { className: "lf-msg" }, mark, make("div", { className: "who" }, make("b", { textContent: who }), " ", small), body);
    const log = chat.querySelector("[data-chat-log]");
    log.append(node); log.scrollTop = log.scrollHeight;
    return { node, about: small, body, log };
  };

  // --- the parameters, checked at their fields --------------------------------------------------------------------------
  const parameters = (chat) => [...chat.querySelectorAll("[data-chat-field]")].map((field) => ({ field, spec: JSON.parse(field.dataset.chatField), input: field.querySelector("input") }));
  const check = ({ field, spec, input }) => {
    const words = window.lakefrontField.problem(spec, input.value), note = field.querySelector(".form-text, .invalid-feedback");
    input.classList.toggle("is-invalid", Boolean(words));
    note.className = words ? "invalid-feedback d-block" : "form-text";
    note.textContent = words ?? "";
    return words;
  };
  const wrong = (chat) => {
    const found = parameters(chat).filter(check);
    if (!found.length) return false;
    found[0].input.focus();
    const names = found.map(({ spec }) => spec.name).join(", "), at = (name) => line().querySelector(`[data-live-${name}]`);
    at("time").textContent = `not asked, because of ${names}`;
    at("facts").textContent = "";
    return true;
  };
  const values = (chat) => Object.fromEntries(parameters(chat).filter(({ input }) => input.value.trim()).map(({ spec, input }) => [spec.name, Number(input.value.trim().replaceAll("_", "").replaceAll("−", "-"))]));
  const body = (chat, stream) => {
    const system = document.getElementById("chat-system")?.value.trim(), messages = [...(system ? [{ role: "system", content: system }] : []), ...of(chat).messages];
    return JSON.stringify({ messages, ...values(chat), timeout_seconds: 300, ...(stream ? { stream: true } : {}) });
  };
  // what is sent, for the JSON and code beside the chat
  const tell = (chat) => {
    const out = JSON.parse(body(chat, false)), typed = chat.querySelector("#chat-message")?.value.trim();
    delete out.timeout_seconds;
    if (typed || !out.messages.some((one) => one.role === "user")) out.messages.push({ role: "user", content: typed || "Hello" });
    window.dash_clientside?.set_props?.("serving-chat-request", { data: JSON.stringify(out) });
  };

  // --- asking -------------------------------------------------------------------------------------------------------------
  const say = async (chat) => {
    const talk = of(chat), box = chat.querySelector("#chat-message"), text = box.value.trim();
    if (!text || talk.running || wrong(chat)) return;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, "");
    box.dispatchEvent(new Event("input", { bubbles: true }));
    message(chat, "You", clock()).body.textContent = text;
    talk.messages.push({ role: "user", content: text });
    await ask(chat);
  };
  const ask = async (chat) => {
    const talk = of(chat), name = chat.dataset.chat, stream = document.getElementById("chat-stream")?.checked ?? true;
    const answer = message(chat, name, "asking"), waking = make("div"), words = make("div", { className: "lf-prose" }), cursor = make("span", { className: "lf-cursor" });
    const raw = document.querySelector("#chat-raw pre"), stopper = chat.querySelector("[data-chat-stop]"), sender = chat.querySelector("[data-chat-send]");
    answer.body.append(waking, words); words.append(cursor);
    if (raw) raw.textContent = "";
    const abort = talk.running = new AbortController(), led = sender.contains(document.activeElement);
    stopper.hidden = false; sender.disabled = true;
    if (led) stopper.focus();
    const show = (text, ...more) => { words.replaceChildren(...window.lakefrontProse(text)); (words.lastElementChild?.tagName === "P" ? words.lastElementChild : words).append(...more); answer.log.scrollTop = answer.log.scrollHeight; };
    const out = await send({
      endpoint: name, body: body(chat, stream), stream, signal: abort.signal, place: waking,
      raw: (more) => { if (raw) raw.textContent += more; },
      words: (now) => show(now.text, cursor),
      tick: (now) => {
        answer.about.textContent = doing(now, stream); strip(line(), now, stream);
        cursor.hidden = now.waking;
        if (!chat.isConnected) abort.abort();
      },
    });
    talk.running = null;
    show(out.text);
    answer.about.textContent = facts(out);
    strip(line(), out, stream);
    const stopped = stopper.contains(document.activeElement);
    stopper.hidden = true; sender.disabled = false;
    if (stopped) chat.querySelector("#chat-message").focus();
    if (out.problem) answer.body.append(failure(out));
    if (out.text) talk.messages.push({ role: "assistant", content: out.text });
    actions(chat, answer, out.text);
    answer.log.scrollTop = answer.log.scrollHeight;
  };
  const actions = (chat, answer, text) => {
    const copy = make("button", { type: "button", className: "btn btn-ghost btn-sm" }, icon("copy"), make("span", { textContent: "Copy" })); copy.dataset.copy = text;
    const again = make("button", { type: "button", className: "btn btn-ghost btn-sm" }, icon("arrow-clockwise"), make("span", { textContent: "Ask again" })); again.dataset.chatAgain = "";
    answer.body.append(make("div", { className: "row-flex lf-said-actions" }, ...(text ? [copy] : []), again));
    for (const old of chat.querySelectorAll("[data-chat-again]")) if (old !== again) old.remove();
  };
  const anew = (chat) => {
    of(chat).running?.abort();
    chats.set(chat, { messages: [], running: null });
    chat.querySelector("[data-chat-log]").replaceChildren();
    chat.querySelector("#chat-message").focus();
  };

  document.addEventListener("click", (event) => {
    const chat = event.target.closest("[data-chat]") ?? document.querySelector("[data-chat]");
    if (!chat) return;
    if (event.target.closest("[data-toggle=chat-code]")) tell(chat);
    if (event.target.closest("[data-chat-send]")) say(chat);
    if (event.target.closest("[data-chat-stop]")) of(chat).running?.abort();
    if (event.target.closest("[data-chat-new]")) anew(chat);
    if (event.target.closest("[data-chat-again]") && !of(chat).running && !wrong(chat)) {
      const talk = of(chat);
      if (talk.messages.at(-1)?.role === "assistant") talk.messages.pop();
      if (talk.messages.length) ask(chat);
    }
  });
  document.addEventListener("input", (event) => {
    const field = event.target.closest?.("[data-chat-field]");
    if (field) parameters(field.closest("[data-chat]")).filter((one) => one.field === field).forEach(check);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "chat-message" && event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); say(event.target.closest("[data-chat]")); }
    if (event.key !== "Escape") return;
    const chat = event.target === document.body ? document.querySelector("[data-chat]") : event.target.closest?.("[data-chat]");
    if (chat) of(chat).running?.abort();
  });
})();
