// Text that a model wrote, with the little of Markdown that models use: paragraphs, lists, headings, bold, italic, code,
// links to the web. It makes elements and texts, never markup from markup: whatever looks like HTML stays text.
window.lakefrontProse = (() => {
  const make = (tag, properties = {}, ...children) => { const node = Object.assign(document.createElement(tag), properties); node.append(...children); return node; };
  // code first, because nothing within it means anything; a link leads to http(s) only
  const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|(?<![\w*])\*([^*\s][^*\n]*)\*(?![\w*])|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/g;
  const inline = (text) => {
    const out = [];
    let at = 0;
    for (const found of text.matchAll(INLINE)) {
      if (found.index > at) out.push(text.slice(at, found.index));
      const [whole, code, bold, italic, label, url] = found;
      if (code) out.push(make("code", { textContent: code }));
      else if (bold) out.push(make("b", {}, ...inline(bold)));
      else if (italic) out.push(make("i", {}, ...inline(italic)));
      else out.push(make("a", { href: url, target: "_blank", rel: "noopener noreferrer", textContent: label }));
      at = found.index + whole.length;
    }
    if (at < text.length) out.push(text.slice(at));
    return out;
  };
  const ITEM = /^\s*(?:[-*•]|(\d+)[.)])\s+(.*)$/;
  const list = (lines) => {
    const numbered = ITEM.exec(lines[0])[1], node = make(numbered ? "ol" : "ul");
    if (numbered) node.start = Number(numbered);
    for (const line of lines) {
      const item = ITEM.exec(line);
      if (item) node.append(make("li", {}, ...inline(item[2])));
      else node.lastChild.append("\n", ...inline(line.trim()));
    }
    return node;
  };
  const block = (lines) => {
    const head = /^#{1,6}\s+(.*)$/.exec(lines[0]);
    if (head) return [make("p", {}, make("b", {}, ...inline(head[1]))), ...(lines.length > 1 ? block(lines.slice(1)) : [])];
    if (ITEM.test(lines[0])) return [list(lines)];
    const from = lines.findIndex((line) => ITEM.test(line));
    return from > 0 ? [make("p", {}, ...inline(lines.slice(0, from).join("\n"))), list(lines.slice(from))] : [make("p", {}, ...inline(lines.join("\n")))];
  };
  // a fence that is still open while the model writes counts as one
  return (text) => {
    const out = [];
    text.split(/^```/m).forEach((part, place) => {
      if (place % 2) {
        const pre = make("pre", { className: "lf-sql", tabIndex: 0, textContent: part.replace(/^[^\n]*\n?/, "").replace(/\n$/, "") });
        pre.setAttribute("role", "region");
        pre.setAttribute("aria-label", "Code");
        out.push(pre);
      } else for (const piece of part.split(/\n\s*\n/)) if (piece.trim()) out.push(...block(piece.replace(/^\n+|\s+$/g, "").split("\n")));
    });
    return out;
  };
})();
