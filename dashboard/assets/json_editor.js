// The JSON box: line numbers, a check on each key that names the place, formatting that moves white space only, and the
// text kept in this browser until it is saved. Nothing here parses and writes again: 12.0 stays 12.0, and an integer of
// thirty digits keeps them all. Marked up by dashboard/components/json_editor.py.
(() => {
  const mostOf = (field) => Number(field.dataset.jsonMost);   // bytes
  const sized = (bytes) => (bytes % 1048576 ? `${bytes.toLocaleString("en")} bytes` : `${bytes / 1048576} MB`);
  const octets = (text) => new TextEncoder().encode(text).length;

  // Checks by the grammar of RFC 8259; answers null or {at, why}.
  const check = (text) => {
    let i = 0;
    const fail = (why, at = i) => { throw { at, why }; };
    const space = () => { while (" \t\n\r".includes(text[i]) && i < text.length) i++; };
    const string = (what) => {
      const start = i++;
      for (;;) {
        const c = text[i];
        if (c === undefined || c === "\n") fail(`${what} is not closed: a quote is missing`, start);
        if (c < " ") fail("a tab or control sign inside a text must be written with a backslash");
        if (c === "\\") { if (!/^\\(["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(text.slice(i, i + 6))) fail("unknown sign after the backslash"); i += text[i + 1] === "u" ? 6 : 2; continue; }
        i++;
        if (c === '"') return;
      }
    };
    const list = (close, one, what) => {
      i++; space();
      if (text[i] === close) { i++; return; }
      for (;;) {
        one(); space();
        if (text[i] === ",") { i++; space(); if (text[i] === close) fail("a comma must not stand before the end"); continue; }
        if (text[i] === close) { i++; return; }
        fail(i >= text.length ? `${what} is not closed: ${close} is missing` : `a comma or ${close} expected`);
      }
    };
    const value = () => {
      space();
      const c = text[i];
      if (c === undefined) fail("a value is missing");
      if (c === "{") return list("}", () => {
        space();
        if (text[i] !== '"') fail("a name in double quotes expected");
        string("the name"); space();
        if (text[i] !== ":") fail("a colon expected after the name");
        i++; value();
      }, "the object");
      if (c === "[") return list("]", value, "the list");
      if (c === '"') return string("the text");
      const word = /^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)(?![\w.+-])/.exec(text.slice(i, i + 400));
      if (!word) fail("a value must be in quotes, a number, true, false or null");
      i += word[0].length;
    };
    try { value(); space(); if (i < text.length) fail("nothing may follow the value"); return null; }
    catch (problem) { if (problem.why) return problem; throw problem; }
  };

  const place = (text, at) => { const before = text.slice(0, at).split("\n"); return [before.length, before.at(-1).length + 1]; };

  // Moves white space between the tokens; a list of plain values stays on one line while it is short.
  const format = (text) => {
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
    let at = 0;
    const write = (indent) => {
      const first = tokens[at++];
      if (first !== "{" && first !== "[") return first;
      const close = first === "{" ? "}" : "]", inner = indent + "  ", parts = [];
      let plain = first === "[";
      while (tokens[at] !== close) {
        if (tokens[at] === ",") { at++; continue; }
        if (first === "{") { const name = tokens[at]; at += 2; parts.push(`${name}: ${write(inner)}`); }
        else { if (tokens[at] === "{" || tokens[at] === "[") plain = false; parts.push(write(inner)); }
      }
      at++;
      if (!parts.length) return first + close;
      const line = `[${parts.join(", ")}]`;
      if (plain && line.length + indent.length <= 60) return line;
      return `${first}\n${parts.map((part) => inner + part).join(",\n")}\n${indent}${close}`;
    };
    return write("");
  };

  const type = (area, text) => {   // as if typed, so that React and Dash learn of it
    Object.getOwnPropertyDescriptor(area.constructor.prototype, "value").set.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  // The box comes forward; what stood in its place (a typed editor, the value in words) goes.
  const reveal = (field) => {
    document.querySelectorAll(`[data-typed="${field.id}"], [data-instead="${field.id}"]`).forEach((one) => (one.hidden = true));
    field.hidden = false;
  };
  const draftKey = (form) => `lakefront.draft.${form.dataset.draft}`;
  const storage = (act) => { try { return act(localStorage); } catch { return null; } };

  const show = (area) => {
    const box = area.closest(".lf-json"), field = area.closest("[data-json]"), form = area.closest("[data-draft]"), text = area.value;
    const problem = check(text), most = mostOf(field), big = octets(text) > most, [line, column] = problem ? place(text, problem.at) : [0, 0];
    box.querySelector(".g").replaceChildren(...text.split("\n").flatMap((_, k) => {
      const number = k + 1 === line ? Object.assign(document.createElement("b"), { textContent: k + 1 }) : String(k + 1);
      return k ? ["\n", number] : [number];
    }));
    box.querySelector(".g").style.transform = `translateY(${-area.scrollTop}px)`;
    box.classList.toggle("bad", Boolean(problem) || big);
    area.setAttribute("aria-invalid", String(Boolean(problem) || big));
    const words = problem ? `Line ${line}, column ${column}: ${problem.why}` : big ? `Too large: at most ${sized(most)}` : "Valid JSON";
    const state = field.querySelector("[data-json-state]");
    state.className = `lf-state ${problem || big ? "is-danger" : "is-ok"}`;
    state.firstElementChild.className = `bi bi-${problem || big ? "x-octagon-fill" : "check-circle-fill"}`;
    if (state.lastElementChild.textContent !== words) state.lastElementChild.textContent = words;
    field.querySelector("[data-json-size]").textContent = problem ? "" : `${octets(text).toLocaleString("en")} bytes of ${sized(most).replace(" bytes", "")}`;
    field.querySelector("[data-json-go]").hidden = !problem;
    field.dataset.at = problem ? problem.at : "";
    if (form) {
      const key = form.dataset.keyField ? document.getElementById(form.dataset.keyField)?.value ?? "" : "";
      const changed = text !== form.dataset.original || key !== "";
      form.dataset.dirty = String(changed);
      storage((kept) => changed ? kept.setItem(draftKey(form), text) : kept.removeItem(draftKey(form)));
      storage((kept) => key ? kept.setItem(`${draftKey(form)}#key`, key) : kept.removeItem(`${draftKey(form)}#key`));
    }
  };
  const goThere = (field) => {
    const area = field.querySelector("textarea"), at = Number(field.dataset.at);
    area.focus(); area.setSelectionRange(at, Math.min(area.value.length, at + 1));
    area.scrollTop = (place(area.value, at)[0] - 4) * 20;
  };

  let timer = 0;
  document.addEventListener("input", (event) => {
    const keyed = event.target.closest?.("[data-key-field]");
    const area = event.target.matches?.(".lf-json textarea") ? event.target
      : keyed && event.target.id === keyed.dataset.keyField ? keyed.querySelector(".lf-json textarea") : null;
    if (!area) return;
    clearTimeout(timer);
    timer = setTimeout(() => show(area), 150);
  });
  document.addEventListener("scroll", (event) => {
    if (event.target.matches?.(".lf-json textarea")) event.target.closest(".lf-json").querySelector(".g").style.transform = `translateY(${-event.target.scrollTop}px)`;
  }, true);
  document.addEventListener("click", (event) => {
    const field = event.target.closest("[data-json]");
    if (field && event.target.closest("[data-json-go]")) goThere(field);
    if (field && event.target.closest("[data-json-format]")) {
      const area = field.querySelector("textarea");
      if (check(area.value)) { show(area); goThere(field); } else type(area, format(area.value));
      area.focus();
    }
    // Save is never disabled for bad JSON: pressing it goes to the place. Caught before Dash sees the click.
    const saver = event.target.closest("[data-json-save]");
    if (saver) {
      const area = document.getElementById(saver.dataset.jsonSave)?.querySelector("textarea");
      if (!area) return;
      clearTimeout(timer);
      show(area);
      if (area.getAttribute("aria-invalid") === "true") {
        event.stopPropagation(); event.preventDefault();
        reveal(area.closest("[data-json]"));
        goThere(area.closest("[data-json]"));
      }
    }
  }, true);

  // A new record that was saved: what was typed for it is not kept any longer.
  new MutationObserver(() => {
    for (const toast of document.querySelectorAll("[data-clears]")) {
      if (toast.dataset.cleared === toast.dataset.expires) continue;
      toast.dataset.cleared = toast.dataset.expires;
      storage((kept) => { for (const end of ["", "#key"]) kept.removeItem(`lakefront.draft.${toast.dataset.clears}${end}`); });
    }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-clears", "data-expires"] });

  // A form that appears: draw its numbers and bring back what was typed and not saved.
  const seen = new WeakMap();
  new MutationObserver(() => {
    for (const area of document.querySelectorAll(".lf-json textarea")) {
      const form = area.closest("[data-draft]"), mark = `${form?.dataset.draft}\n${form?.dataset.original}`;
      if (seen.get(area) === mark) continue;
      seen.set(area, mark);
      const draft = form && storage((kept) => kept.getItem(draftKey(form)));
      if (draft !== null && draft !== undefined && draft !== area.value) { type(area, draft); reveal(area.closest("[data-json]")); }
      const key = form?.dataset.keyField && storage((kept) => kept.getItem(`${draftKey(form)}#key`));
      if (key) type(document.getElementById(form.dataset.keyField), key);
      setTimeout(() => show(area), 0);
    }
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-draft", "data-original"] });
})();

// A typed editor stands in for the box: what is chosen in it is written into the box, which is what gets saved.
(() => {
  const write = (typed) => {
    const control = typed.querySelector("select, input"), area = document.getElementById(typed.dataset.typed)?.querySelector("textarea");
    const text = typed.dataset.plain === "text" ? JSON.stringify(control.value) : control.value;
    if (!area || area.value === text) return;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  for (const kind of ["input", "change"]) document.addEventListener(kind, (event) => {
    const typed = event.target.closest?.("[data-typed]");
    if (typed) write(typed);
  });
  document.addEventListener("click", (event) => {
    const off = event.target.closest("[data-typed-off]");
    if (!off) return;
    const field = document.getElementById(off.dataset.typedOff);
    document.querySelectorAll(`[data-typed="${field.id}"], [data-instead="${field.id}"]`).forEach((one) => (one.hidden = true));
    field.hidden = false;
    field.querySelector("textarea").focus();
  });
})();
