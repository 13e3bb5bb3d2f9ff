/** Code within a line, and what is between two fences. */

const SPAN = /[^`\n]+/y;
const TICKS = /`+/y;

/**
 * Finds code between single or double backticks, on one line. A backtick that nothing closes is text.
 *
 * @param {string} text
 * @returns {Generator<{start: number, end: number, text: string}>}
 */
export function* findCode(text) {
  for (let at = text.indexOf("`"); at !== -1; at = text.indexOf("`", at)) {
    const isEscaped = text[at - 1] === "\\" && text[at - 2] !== "\\";
    const open = isEscaped ? at + 1 : skip(text, at, TICKS);
    const close = isEscaped ? -1 : closeOf(text, open, open - at);
    if (close > 0) {
      const end = close + open - at;
      yield { start: at, end, text: text.slice(open, close) };
      at = end;
    } else at = open;
  }
}

/**
 * Returns where the code that begins at `open` is closed, or -1. It looks no further than the next backtick or two, so
 * that looking on from there costs little.
 *
 * @param {string} text
 * @param {number} open
 * @param {number} ticks
 */
function closeOf(text, open, ticks) {
  if (ticks === 1) {
    const close = skip(text, open, SPAN);
    return close > open && text[close] === "`" ? close : -1;
  }
  const close = ticks === 2 ? text.indexOf("``", open) : -1;
  const isOnLine = close > open && !text.slice(open, close).includes("\n");
  return isOnLine && text[close + 2] !== "`" ? close : -1;
}

/** @param {string} text @param {number} at @param {RegExp} run */
function skip(text, at, run) {
  run.lastIndex = at;
  return run.test(text) ? run.lastIndex : at;
}

/**
 * Makes a fence of what is between the backticks. Its first line may name a language; the last line break is dropped.
 *
 * @param {string} code
 * @returns {import("./markdown.js").Fence}
 */
export function fenceOf(code) {
  const line = code.indexOf("\n");
  const name = line === -1 ? "" : code.slice(0, line).trim();
  const isNamed = line !== -1 && line < code.length - 1 && !/[^\w+#.-]/.test(name);
  const lines = isNamed ? code.slice(line + 1) : code;
  const text = lines.length > 1 && lines.endsWith("\n") ? lines.slice(0, -1) : lines;
  return { kind: "fence", language: isNamed ? name.toLowerCase() : "", text };
}
