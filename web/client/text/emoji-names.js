/** Names of emoji while they are typed. */

/** @typedef {import("gemoji").Gemoji} Emoji */
/** @typedef {{name: string, emoji: string}} Named */

/** The beginning of a name, two letters at least: `:-)` and `10:30` are none. */
const BEGUN = /(?<![\p{L}\p{N}:])(?::[a-z0-9][a-z0-9_+-]{1,40}|:[+-]1)$/iu;
const MOST = 6;

/** Returns the name that is begun at the end of a text, with its colon; empty if none is, or in code. @param {string} text */
export function begunName(text) {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  const isInCode = line.split("`").length % 2 === 0;
  return isInCode ? "" : (BEGUN.exec(line)?.[0] ?? "");
}

/**
 * Finds emoji by what is typed of their names, descriptions and tags, the best first: the name itself, names that begin
 * so, words that begin so, and then the others.
 *
 * @param {Emoji[]} all
 * @param {string} typed
 */
export function findEmoji(all, typed) {
  const words = wordsOf(typed);
  const ranked = all.map((emoji) => ({ emoji, rank: rankOf(emoji, words) }));
  const found = ranked.filter(({ rank }) => rank < NONE).toSorted((a, b) => a.rank - b.rank);
  return found.map(({ emoji }) => emoji);
}

/**
 * Completes a name: finds the emoji that have the typed letters in one of their names.
 *
 * @param {Emoji[]} all
 * @param {string} begun with its colon
 * @returns {Named[]}
 */
export function completeName(all, begun) {
  const letters = begun.slice(1).toLowerCase();
  const named = findEmoji(all, letters).flatMap(({ names, emoji }) => {
    const name = names.find((each) => each.startsWith(letters)) ?? names.find((each) => each.includes(letters));
    return name ? [{ name, emoji }] : [];
  });
  return named.slice(0, MOST);
}

/** The rank of what does not fit. */
const NONE = 4;

/** @param {Emoji} emoji @param {string[]} words @returns {number} 0 the best, `NONE` if some word is not in it */
function rankOf({ description, names, tags }, words) {
  const name = words.join("_");
  if (names.includes(name)) return 0;
  if (names.some((each) => each.startsWith(name))) return 1;
  const text = [...names, ...tags, description].join(" ").toLowerCase();
  const parts = wordsOf(text);
  if (words.every((word) => parts.some((part) => part.startsWith(word)))) return 2;
  return words.every((word) => text.includes(word)) ? 3 : NONE;
}

/** @param {string} text */
function wordsOf(text) {
  return text
    .toLowerCase()
    .split(/[\s:_]+/)
    .filter(Boolean);
}
