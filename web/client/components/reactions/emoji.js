/** The keys of reactions: emoji without U+FE0F, so that ❤ and ❤️ are one; and which of them this person uses most. */

import { load, save } from "../../browser/storage.js";

const VARIATION = "\ufe0f";
/** A picture that is letters by default, and the digit of a keycap. A skin tone takes the variation's place. */
const AS_TEXT = /(?!\p{Emoji_Presentation})\p{Extended_Pictographic}(?!\p{Emoji_Modifier})|[0-9#*](?=\u20e3)/gu;
const FIRST = ["👍", "❤", "😂"];

/** @param {string} emoji */
export function keyOf(emoji) {
  return emoji.replaceAll(VARIATION, "");
}

/** Returns what is drawn for a key: a picture in every browser. @param {string} key */
export function emojiOf(key) {
  return key.replace(AS_TEXT, `$&${VARIATION}`);
}

/** The three that were used most when the page was opened: they do not move under the pointer. */
export const mostUsed = mostOf(uses());

/** Counts one more use. @param {string} key */
export function noteUse(key) {
  const counts = uses();
  save("reactions", JSON.stringify({ ...counts, [key]: (counts[key] ?? 0) + 1 }));
}

/** @returns {Record<string, number>} */
function uses() {
  try {
    return JSON.parse(load("reactions")) ?? {};
  } catch {
    return {}; // nothing is kept, or nothing that could be read
  }
}

/** @param {Record<string, number>} counts */
function mostOf(counts) {
  const used = Object.keys(counts).toSorted((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0));
  return [...new Set([...used, ...FIRST])].slice(0, FIRST.length);
}
