/** Handles while they are typed. */

/** A handle that is begun, or its @ alone. */
const BEGUN = /(?<![\p{L}\p{N}_@./-])@[a-z0-9._-]{0,32}$/iu;

/** Those who are called by these words are not one person. */
export const EVERYBODY = ["here", "room"];

/** Returns the handle that is begun at the end of a text, with its @; empty if none is, or in code. @param {string} text */
export function begunHandle(text) {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  const isInCode = line.split("`").length % 2 === 0;
  return isInCode ? "" : (BEGUN.exec(line)?.[0] ?? "");
}
