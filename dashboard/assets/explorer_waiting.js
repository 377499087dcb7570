// A statement that takes longer than a second: its strip counts the seconds (the stylesheet makes it appear), and the server
// is asked each second whether the warehouse is starting.
(() => {
  const { at, set } = window.lakefrontExplorer;
  let since = null, asked = 0;

  const facts = (box, starting) => {
    const who = document.querySelector("#uc-strip .as");
    if (who) box.querySelector(".as").innerHTML = who.innerHTML;
    const told = [...document.querySelectorAll("#uc-strip .lf-waterline > span:not(.as, .sep, .push)")];
    const warehouse = told.find((one) => one.textContent.startsWith("warehouse "))?.textContent ?? "";
    box.querySelector(".lf-running-fact").textContent = starting ? warehouse.replace(/, .*/, ", starting") : warehouse;
  };
  setInterval(() => {
    const box = at("uc-running");
    if (!box?.classList.contains("on")) { since = null; return; }
    since ??= Date.now();
    const seconds = (Date.now() - since) / 1000, starting = at("uc-starting")?.childElementCount > 0;
    const figure = seconds.toFixed(seconds < 10 ? 1 : 0);
    box.querySelector(".lf-running-words").textContent = `${starting ? "waiting" : "running"} for ${figure} s`;
    facts(box, starting);
    if (seconds > 1 && Date.now() - asked > 1000 && at("uc-starting")) {
      asked = Date.now();
      set("uc-waiting", { data: { since, at: asked } });
    }
  }, 200);
})();
