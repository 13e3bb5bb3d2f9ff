import { MAX_DEPTH } from "./budget.js";
import { fenceOf } from "./code.js";
import { parseInline } from "./inline.js";
import { isBlank, itemOf, takeList } from "./lists.js";

/** @typedef {import("./markdown.js").Block} Block */
/** @typedef {import("./budget.js").Budget} Budget */

const QUOTE = /^ {0,3}>(?: |$)/;
const FENCE = "```";

/**
 * Cuts lines into paragraphs, fences, quotes and lists. What is in a quote or an item is cut in turn.
 *
 * @param {string[]} lines
 * @param {number} depth
 * @param {Budget} budget
 * @returns {Block[]}
 */
export function parseBlocks(lines, depth, budget) {
  return new BlockParser(lines, depth, budget).parse();
}

/** BlockParser goes over lines once. A fence that nothing closes is text, and there is no other after it. */
class BlockParser {
  #lines;
  #depth;
  #budget;
  #at = 0;
  /** The line is the rest of one that a fence began. */
  #isRest = false;
  /** Blank lines since the last block. */
  #blank = 0;
  /** @type {string[]} the lines of the paragraph that is being read */
  #paragraph = [];
  /** @type {Block[]} */
  #blocks = [];

  /** @param {string[]} lines @param {number} depth @param {Budget} budget */
  constructor(lines, depth, budget) {
    this.#lines = [...lines];
    this.#depth = depth;
    this.#budget = budget;
  }

  /** @returns {Block[]} */
  parse() {
    const isDeep = this.#depth >= MAX_DEPTH;
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? "";
      if (isBlank(line)) this.#takeBlank();
      else if (isDeep || !this.#takeBlock(line)) this.#takeText(line);
    }
    this.#endParagraph();
    return this.#blocks;
  }

  /** @param {string} line */
  #takeBlock(line) {
    const isTaken = (!this.#isRest && (this.#takeQuote(line) || this.#takeList(line))) || this.#takeFence(line);
    if (isTaken) this.#blank = 0;
    return isTaken;
  }

  #takeBlank() {
    if (this.#paragraph.length && !this.#budget.takeElement()) {
      this.#takeText("");
      return;
    }
    this.#endParagraph();
    this.#blank += 1;
    this.#at += 1;
    this.#isRest = false;
  }

  /** One blank line parts two paragraphs; the others stay. @param {string} line */
  #takeText(line) {
    if (!this.#paragraph.length && this.#blocks.length)
      for (; this.#blank > 1; this.#blank -= 1) this.#paragraph.push("");
    this.#paragraph.push(line);
    this.#blank = 0;
    this.#at += 1;
    this.#isRest = false;
  }

  /** @param {string} line */
  #takeQuote(line) {
    if (!QUOTE.test(line) || !this.#budget.takeElement()) return false;
    this.#endParagraph();
    const inner = [];
    for (let next = line; QUOTE.test(next); next = this.#lines[this.#at] ?? "") {
      inner.push(next.replace(QUOTE, ""));
      this.#at += 1;
    }
    this.#blocks.push({ kind: "quote", blocks: this.#parseInner(inner) });
    return true;
  }

  /** @param {string} line */
  #takeList(line) {
    const item = itemOf(line);
    // Within a paragraph "10. December" begins a line more often than a list.
    if (!item || (item.number > 1 && this.#paragraph.length > 0) || !this.#budget.takeElement()) return false;
    this.#endParagraph();
    const { items, next } = takeList(this.#lines, this.#at, item, () => this.#budget.takeElement());
    this.#at = next;
    const parsed = items.map(({ number, lines }) => ({ number, blocks: this.#parseInner(lines) }));
    this.#blocks.push({ kind: "list", ordered: item.ordered, items: parsed });
    return true;
  }

  /** @param {string[]} lines */
  #parseInner(lines) {
    return parseBlocks(lines, this.#depth + 1, this.#budget);
  }

  /** Takes the code between two fences, which may begin and end within lines. @param {string} line */
  #takeFence(line) {
    const open = line.indexOf(FENCE);
    if (open < 0) return false;
    const at = this.#at;
    const close = this.#findClose(open);
    if (!close || !this.#budget.takeElement()) return false;
    if (!isBlank(line.slice(0, open))) this.#takeText(line.slice(0, open));
    this.#endParagraph();
    const inner = [...this.#lines.slice(at, close.line), this.#lines[close.line]?.slice(0, close.column)];
    inner[0] = inner[0]?.slice(open + FENCE.length);
    this.#blocks.push(fenceOf(inner.join("\n")));
    this.#goOnAfter(close);
    return true;
  }

  /** Returns where the fence ends that begins in this line. @param {number} open */
  #findClose(open) {
    let from = open + FENCE.length + 1; // there is something between them, be it the end of the line
    for (let line = this.#at; line < this.#lines.length; line += 1, from = 0) {
      const column = this.#lines[line]?.indexOf(FENCE, from) ?? -1;
      if (column !== -1) return { line, column };
    }
    return null;
  }

  /** @param {{line: number, column: number}} close */
  #goOnAfter({ line, column }) {
    const rest = (this.#lines[line] ?? "").slice(column + FENCE.length);
    this.#lines[line] = rest;
    this.#isRest = !isBlank(rest);
    this.#at = this.#isRest ? line : line + 1;
  }

  #endParagraph() {
    if (!this.#paragraph.length) return;
    const lines = this.#paragraph;
    this.#paragraph = [];
    const children = parseInline(lines.join("\n"), MAX_DEPTH - this.#depth, this.#budget);
    this.#blocks.push({ kind: "paragraph", children });
  }
}
