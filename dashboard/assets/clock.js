// Times that keep themselves up to date: <span data-clock="ago|elapsed|until" data-at="milliseconds since 1970">.
// "until" may press a button once when it reaches zero (data-click), if the person has not done so before.
(() => {
  const short = (ms) => (ms < 60000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60000)} min`);
  const ago = (s) => (s < 5 ? "just now" : s < 90 ? `${Math.round(s)} s ago` : s < 5400 ? `${Math.round(s / 60)} min ago` : `${Math.round(s / 3600)} h ago`);
  const tick = () => {
    const now = Date.now();
    for (const clock of document.querySelectorAll("[data-clock]")) {
      const at = Number(clock.dataset.at);
      const text = { ago: () => ago((now - at) / 1000), elapsed: () => short(Math.max(0, now - at)), until: () => `${Math.max(0, Math.ceil((at - now) / 1000))} s` }[clock.dataset.clock]();
      if (clock.textContent !== text) clock.textContent = text;
      if (clock.dataset.click && now >= at && clock.dataset.done !== clock.dataset.at) {
        clock.dataset.done = clock.dataset.at;
        document.getElementById(clock.dataset.click)?.click();
      }
    }
    for (const toast of document.querySelectorAll(".lf-toast[data-expires]")) {
      // a toast that is looked at with the keyboard or the pointer stays; React uses the element again for the next one
      if (now > Number(toast.dataset.expires) && !toast.matches(":hover, :focus-within")) toast.dataset.gone = toast.dataset.expires;
      toast.classList.toggle("gone", toast.dataset.gone === toast.dataset.expires);
    }
  };
  // a clock inside data-starts="id id" starts when one of these buttons is pressed
  document.addEventListener("click", (event) => {
    const id = event.target.closest?.("button")?.id ?? "";
    if (!/^[\w-]+$/.test(id)) return;
    for (const clock of document.querySelectorAll(`[data-starts~="${id}"] [data-clock]`)) clock.dataset.at = String(Date.now());
  }, true);
  setInterval(tick, 250);
})();
