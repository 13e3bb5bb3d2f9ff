import { findCode } from "./code.js";
import { findLinks } from "./links.js";
import { hostAfterName } from "./targets.js";

/** @typedef {import("./markdown.js").Inline} Inline */
/** @typedef {{start: number, end: number, node: Inline}} Atom a piece of text in which there are no markers */

/** Finds code, and the addresses between code, in their order. @param {string} text @returns {Generator<Atom>} */
export function* findAtoms(text) {
  let from = 0;
  for (const { start, end, text: code } of findCode(text)) {
    yield* linksIn(text, from, start);
    yield { start, end, node: { kind: "code", text: code } };
    from = end;
  }
  yield* linksIn(text, from, text.length);
}

/** @param {string} text @param {number} from @param {number} to @returns {Generator<Atom>} */
function* linksIn(text, from, to) {
  const piece = text.slice(from, to);
  for (const { start, end, href } of findLinks(piece)) {
    const children = [piece.slice(start, end)];
    yield {
      start: from + start,
      end: from + end,
      node: { kind: "link", href, host: hostAfterName(href), children },
    };
  }
}
