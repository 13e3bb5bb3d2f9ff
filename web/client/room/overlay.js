/** What this page lays over a message: what this person does to it and is not done, and their own reactions. */

import { changedBy } from "./fold.js";

/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Row} Row */
/** @typedef {import("./fold.js").Touch} Touch */
/** @typedef {import("./operations.js").Operation} Operation */

/** The server names so many of those who reacted. */
const MAX_NAMES = 10;

/**
 * Returns a message as it is shown. One that nothing is laid over is returned as it is.
 *
 * @param {Posted} row
 * @param {Operation[]} operations of this person on the message, in order
 * @param {(key: string) => boolean} hasReacted whether this person has reacted so, as far as this page knows
 * @returns {Row}
 */
export function layOver(row, operations, hasReacted) {
  if (!operations.length && !row.reactions) return row;
  const under = operations.filter(({ status }) => status !== "failed");
  const mine = under.reduce(minePlus, Object.keys(row.reactions ?? {}).filter(hasReacted));
  const shown = under.reduce((now, operation) => changedBy(now, touchOf(operation, now)), row);
  return { ...shown, ...(mine.length && { mine }), ...(operations.length && { operations }) };
}

/** @param {string[]} mine @param {Operation} operation */
function minePlus(mine, { kind, key = "" }) {
  if (kind === "delete") return [];
  if (kind === "react") return [...mine, key];
  return kind === "unreact" ? mine.filter((each) => each !== key) : mine;
}

/** Returns the entry that the server would make of an operation. @param {Operation} operation @param {Posted} row @returns {Touch} */
function touchOf({ kind, name, message, key = "", at }, row) {
  const touch = { seq: 0, target: row.seq, kind, at, by: { name } };
  if (kind === "edit") return { ...touch, message, edits: (row.edits ?? 0) + 1 };
  if (kind !== "react" && kind !== "unreact") return touch;
  const { count, names } = row.reactions?.[key] ?? { count: 0, names: [] };
  const others = names.filter((each) => each !== name);
  if (kind === "unreact") return { ...touch, kind: "react", key, count: count - 1, names: others };
  return { ...touch, key, count: count + 1, names: [...others, name].slice(0, MAX_NAMES) };
}
