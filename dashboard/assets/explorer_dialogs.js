// Dialogs and popovers: a part of the page that becomes a modal dialog where there is no room for it (everything else is
// inert meanwhile, the focus returns to the opener), popovers that close, and a value too long for its cell, whole.
(() => {
  const page = window.lakefrontExplorer, { at, presses } = page;
  const openers = new Map();   // id of the open dialog -> [opener, what it made inert]

  const others = (box) => {
    const out = [];
    for (let one = box; one.parentElement && one !== document.body; one = one.parentElement) {
      out.push(...[...one.parentElement.children].filter((x) => x !== one && !/SCRIPT|STYLE/.test(x.tagName)));
    }
    return out;
  };
  page.openDialog = (id) => {
    const box = at(id);
    if (!box || openers.has(id)) return;
    openers.set(id, [document.activeElement, others(box).filter((one) => !one.inert)]);
    for (const one of openers.get(id)[1]) one.inert = true;
    box.classList.add("open");
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-modal", "true");
    (box.querySelector("[role=treeitem][tabindex='0'], button, input") ?? box).focus();
  };
  page.closeDialog = (id) => {
    const box = at(id), [opener, held] = openers.get(id) ?? [];
    if (!held) return;
    openers.delete(id);
    for (const one of held) one.inert = false;
    if (box) {
      box.classList.remove("open");
      box.removeAttribute("role");
      box.removeAttribute("aria-modal");
    }
    (opener?.checkVisibility() ? opener : document.querySelector("[data-pop=uc-more-menu]"))?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    for (const id of [...openers.keys()]) { event.preventDefault(); page.closeDialog(id); }
  });
  document.addEventListener("click", (event) => {   // beside an open dialog there is only the page itself
    if (event.target !== document.documentElement && event.target !== document.body) return;
    for (const id of [...openers.keys()]) page.closeDialog(id);
  });
  for (const [query, id] of [["(min-width: 992px)", "uc-tree-box"], ["(min-width: 1200px)", "uc-inspect-box"]]) {
    matchMedia(query).addEventListener("change", (now) => { if (now.matches) page.closeDialog(id); });
  }
  presses["uc-tree-open"] = () => page.openDialog("uc-tree-box");
  presses["uc-tree-close"] = () => page.closeDialog("uc-tree-box");
  presses["uc-inspect-close"] = () => page.closeDialog("uc-inspect-box");

  page.closePop = (id) => {
    for (const opener of document.querySelectorAll(`[data-pop="${id}"][aria-expanded=true]`)) {
      opener.setAttribute("aria-expanded", "false");
      at(id).hidden = true;
      if (opener.checkVisibility()) opener.focus();
    }
  };
  document.addEventListener("click", (event) => {   // a choice in a menu closes it
    const button = event.target.closest?.("button");
    const menu = button && !button.dataset.pop && button.closest("#uc-more-menu, #uc-export-menu");
    if (menu) page.closePop(menu.closest(".lf-menu").id);
  });

  // nested values in lines, anything else as it is; `back` gives the focus back
  page.showValue = (column, value, back) => {
    const box = document.createElement("dialog");
    const text = typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
    box.className = "lf-dialog lf-value";
    box.setAttribute("aria-labelledby", "uc-value-title");
    box.innerHTML = '<h2 id="uc-value-title" class="mono cut"></h2><pre class="lf-value-text" tabindex="0"></pre>'
      + '<div class="row-flex lf-dialog-actions"><button type="button" class="btn" data-copy=""><span>Copy</span></button>'
      + '<button type="button" class="btn btn-primary">Close</button></div>';
    box.querySelector("h2").textContent = column;
    box.querySelector("pre").textContent = text;
    box.querySelector("pre").setAttribute("aria-label", `Value of ${column}`);
    const [copy, close] = box.querySelectorAll("button");
    copy.dataset.copy = text;
    close.addEventListener("click", () => box.close());
    box.addEventListener("close", () => { box.remove(); back(); });
    document.body.append(box);
    box.showModal();
    close.focus();
  };
})();
