// While a service is asked again its row keeps what was found before; a slow one says "checking, 2 s" in its own row.
// The words are an attribute that the stylesheet writes out, so nothing that has the focus is drawn anew.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.status = (() => {
  const since = new Map();   // name of the service -> when it was asked
  const seen = new Map();    // name of the service -> time of its last answer
  const rows = () => [...document.querySelectorAll(".lf-svc-item[id]")].map((row) => [JSON.parse(row.id).name, row]);
  const write = () => {
    for (const [name, row] of rows()) {
      const waited = since.has(name) ? Date.now() - since.get(name) : 0;
      if (waited > 1000 && seen.has(name)) row.dataset.checking = `checking, ${Math.floor(waited / 1000)} s`;
      else if (row.dataset.checking) { delete row.dataset.checking; row.querySelector(".lf-svc-word").removeAttribute("data-checking"); }
      if (row.dataset.checking) row.querySelector(".lf-svc-word")?.setAttribute("data-checking", row.dataset.checking);
    }
  };
  setInterval(write, 250);
  return {
    checking: () => {
      for (const [name] of rows()) if (!since.has(name)) since.set(name, Date.now());
      return window.dash_clientside.no_update;
    },
    checked: (found, id) => {
      if (found && seen.get(id.name) !== found.at) { seen.set(id.name, found.at); since.delete(id.name); write(); }
      return window.dash_clientside.no_update;
    },
  };
})();
