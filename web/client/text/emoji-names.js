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
 * Finds the emoji whose names have the typed letters in them, those that begin with them first.
 *
 * @param {Emoji[]} all
 * @param {string} begun with its colon
 * @returns {Named[]}
 */
export function completeName(all, begun) {
  const letters = begun.slice(1).toLowerCase();
  const named = all.flatMap(({ names, emoji }) => {
    const name = names.find((each) => each.startsWith(letters)) ?? names.find((each) => each.includes(letters));
    return name ? [{ name, emoji }] : [];
  });
  const rank = ({ name = "" }) => (name === letters ? 0 : name.startsWith(letters) ? 1 : 2);
  return named.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST);
}
