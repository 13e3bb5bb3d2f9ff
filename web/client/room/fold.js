/** The fold of a room's log into its messages: what each entry makes of the message that it touches. */

import { labelOf, readBy } from "../authors.js";

/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Reaction} Reaction */

/**
 * @typedef {object} Touch an entry that touches messages: a `RoomEvent`, or a reply, which touches its root
 * @property {number} seq
 * @property {string} kind
 * @property {number} target
 * @property {string} [at]
 * @property {import("../messages.js").Doer} [by]
 * @property {string} [message]
 * @property {number} [edits]
 * @property {string} [key]
 * @property {number} [count]
 * @property {string[]} [names]
 * @property {number} [replies]
 * @property {number} [account]
 * @property {boolean} [erase]
 * @property {Range[]} [targets]
 * @property {Range[]} [touched]
 */

/** @typedef {[number, number]} Range places, with the first and the last */

/** What is left of the name of an account, and of its handle in lists. */
const DELETED_ACCOUNT = "deleted account";
const UNPINNED = { pinned_at: undefined, pinned_by: undefined };
const NOTHING = { message: "", reactions: undefined, ...UNPINNED };

/** @typedef {(row: Posted, entry: Touch) => object | false} Change */

/** What each kind of entry sets. It carries the result and never a difference. @type {Map<string, Change>} */
const CHANGES = new Map(
  Object.entries(
    /** @type {Record<string, Change>} */ ({
      edit: (_, { message, edits, at }) => ({ message, edits, edited_at: at }),
      delete: (_, { at, by }) => ({ ...NOTHING, deleted_at: at, deleted_by: by && labelOf(readBy(by)) }),
      react: ({ reactions = {} }, { key = "", count = 0, names = [] }) => ({
        reactions: withReaction(reactions, key, { count, names }),
      }),
      pin: (_, { at, by }) => ({ pinned_at: at, pinned_by: by && labelOf(readBy(by)) }),
      unpin: () => UNPINNED,
      reply: (_, { seq, replies }) => ({ replies, last_reply_seq: seq }),
      purge: ({ seq }, { account = 0, erase, targets = [], at }) =>
        isIn(targets, seq) && {
          ...{ name: DELETED_ACCOUNT, author: { id: account, handle: "" } },
          ...(erase && { ...NOTHING, deleted_at: at, deleted_by: DELETED_ACCOUNT }),
        },
    }),
  ),
);

/** Returns the seq of the last entry that touched a message. @param {Posted} row */
export function changedOf({ changed, seq }) {
  return changed ?? seq;
}

/**
 * Folds an entry into the message that it touches. A message that holds it already is returned as it is.
 *
 * @param {Posted} row
 * @param {Touch} entry
 * @returns {Posted}
 */
export function fold(row, entry) {
  if (entry.seq <= changedOf(row)) return row;
  return { ...changedBy(row, entry), changed: entry.seq };
}

/** Returns what an entry makes of a message, whatever it holds. @param {Posted} row @param {Touch} entry @returns {Posted} */
export function changedBy(row, entry) {
  return { ...row, ...CHANGES.get(entry.kind)?.(row, entry) };
}

/**
 * Sets the reactions with one emoji; those that nobody has any more go.
 *
 * @param {Record<string, Reaction>} reactions
 * @param {string} key
 * @param {Reaction} reaction
 * @returns {Record<string, Reaction> | undefined}
 */
function withReaction(reactions, key, reaction) {
  const { [key]: _, ...others } = reactions;
  const next = reaction.count > 0 ? { ...reactions, [key]: reaction } : others;
  return Object.keys(next).length ? next : undefined;
}

/** Whether an entry touches a message. A purge touches many. @param {Touch} entry @param {number} seq */
export function isAbout({ kind, target, targets = [], touched = [] }, seq) {
  return kind === "purge" ? isIn(targets, seq) || isIn(touched, seq) : target === seq;
}

/** Whether only the server knows what an entry makes of a message: it shows who has left. @param {Touch} entry @param {number} seq */
export function mustBeReadAgain({ kind, touched = [] }, seq) {
  return kind === "purge" && isIn(touched, seq);
}

/** @param {Range[]} ranges @param {number} seq */
function isIn(ranges, seq) {
  return ranges.some(([first, last]) => first <= seq && seq <= last);
}

/** Whether an entry of this kind changes a message. @param {string} kind */
export function isTouching(kind) {
  return CHANGES.has(kind);
}
