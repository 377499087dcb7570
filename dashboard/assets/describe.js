// dbc inputs take no aria-*: it is copied from the field's wrapper, an html.Div, whose hint or message it names.
new MutationObserver(() => {
  for (const field of document.querySelectorAll(".lf-field")) {
    const input = field.querySelector("input, select, textarea"), note = field.querySelector(".invalid-feedback, .form-text");
    if (!input) continue;
    note?.id ? input.setAttribute("aria-describedby", note.id) : input.removeAttribute("aria-describedby");
    if (input.closest(".lf-json")) continue;   // json_editor.js knows better
    input.setAttribute("aria-invalid", String(input.classList.contains("is-invalid")));
  }
}).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["class", "id"] });
