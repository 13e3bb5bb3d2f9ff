import { findCode } from "./code.js";
import { findLinks } from "./links.js";
import { findMentions } from "./mentions.js";
import { hostAfterName } from "./targets.js";

/** @typedef {import("./markdown.js").Inline} Inline */
/** @typedef {{start: number, end: number, node: Inline}} Atom a piece of text in which there are no markers */

/** Finds code, the addresses between code, and the handles between both, in their order. @param {string} text @returns {Generator<Atom>} */
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
  let at = 0;
  for (const { start, end, href } of findLinks(piece)) {
    yield* mentionsIn(piece, at, start, from);
    at = end;
    const children = [piece.slice(start, end)];
    yield {
      start: from + start,
      end: from + end,
      node: { kind: "link", href, host: hostAfterName(href), children },
    };
  }
  yield* mentionsIn(piece, at, piece.length, from);
}

/**
 * @param {string} piece
 * @param {number} after
 * @param {number} before
 * @param {number} from where the piece begins in the text
 * @returns {Generator<Atom>}
 */
function* mentionsIn(piece, after, before, from) {
  for (const { start, end, handle } of findMentions(piece.slice(after, before))) {
    const at = from + after;
    yield {
      start: at + start,
      end: at + end,
      node: { kind: "mention", handle, text: piece.slice(after + start, after + end) },
    };
  }
}
