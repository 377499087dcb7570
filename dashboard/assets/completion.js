// A completion, word by word, in the place that the server made for it (dashboard/components/talk.py, written_live).
(() => {
  const model = window.lakefrontModel;
  let running = null;   // {abort, place}
  const write = async (place) => {
    running?.abort.abort();
    const abort = new AbortController(), part = (name) => place.querySelector(`[data-live-${name}]`), text = part("text"), cursor = model.make("span", { className: "lf-cursor" });
    const mine = running = { abort, place }, { endpoint, body } = JSON.parse(place.dataset.live);
    const line = document.getElementById("serving-live-strip"), raw = document.querySelector("#serving-raw pre");
    text.replaceChildren(cursor);
    const out = await model.ask({
      endpoint, body, stream: true, signal: abort.signal, place: part("waking"),
      raw: (more) => { if (raw) raw.textContent += more; },
      words: (now) => text.replaceChildren(now.text, cursor),
      tick: (now) => { part("about").textContent = model.doing(now, true); model.strip(line, now, true); if (!place.isConnected) abort.abort(); },
    });
    if (running === mine) running = null;
    text.replaceChildren(out.text);
    text.hidden = !out.text;
    const stopper = part("stop"), stopped = stopper.contains(document.activeElement);
    stopper.hidden = true;
    if (stopped) document.getElementById("serving-predict")?.focus();
    part("about").textContent = model.facts(out);
    if (out.problem) part("note").replaceChildren(model.failure(out));
    model.strip(line, out, true);
  };
  document.addEventListener("click", (event) => { if (event.target.closest("[data-live-stop]")) running?.abort.abort(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && running && (event.target === document.body || event.target.closest?.(".lf-serve-panel"))) running.abort.abort();
  });
  new MutationObserver(() => {
    for (const place of document.querySelectorAll("[data-live]:not([data-live-begun])")) { place.dataset.liveBegun = ""; write(place); }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
