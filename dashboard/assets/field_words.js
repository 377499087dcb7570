// What is wrong with a value that is entered for an input of a model: the same words as dashboard/components/fields.py.
// A test compares the two. Used by many_rows.js (cells) and chat.js (parameters).
window.lakefrontField = (() => {
  const range = (field, value) =>
    field.minimum !== null && value < field.minimum ? `At least ${field.minimum_words} expected.`
      : field.maximum !== null && value > field.maximum ? `At most ${field.maximum_words} expected.` : null;
  const readers = {
    integer: (words, field) => {
      if (/^[+-]?\d+(_\d+)*$/.test(words)) return range(field, Number(words.replaceAll("_", "")));
      return /^\d+\p{L}$/u.test(words) ? "Whole number expected: the last sign is a letter." : "Whole number expected.";
    },
    number: (words, field) => {
      if (/^[+-]?(inf(inity)?|nan)$/i.test(words)) return "A finite number expected.";
      if (!/^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i.test(words)) return "Number expected, with a point before the fraction.";
      const value = Number(words.replaceAll("_", ""));
      return Number.isFinite(value) ? range(field, value) : "A finite number expected.";
    },
    boolean: (words) => (/^(true|false)$/i.test(words) ? null : "true or false expected."),
    json: (words) => { try { JSON.parse(words); return null; } catch { return "JSON expected."; } },
  };
  const problem = (field, value) => {
    const words = String(value ?? "").trim();
    if (words === "") return field.required && !field.nullable ? "A value is needed." : null;
    if (field.choices.length) return field.choices.includes(words) ? null : "One of the choices expected.";
    const reader = readers[field.type === "object" || field.type === "array" ? "json" : field.type];
    return reader ? reader(field.type === "number" || field.type === "integer" ? words.replaceAll("−", "-") : words, field) : null;
  };
  return { problem };
})();
