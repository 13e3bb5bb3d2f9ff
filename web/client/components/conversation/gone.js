import { labelOf } from "../../authors.js";
import { html } from "../../html.js";
import { dayOf } from "../../time.js";
import { Trash } from "../icons.js";

/** @typedef {import("../../messages.js").Row} Row */

/** A message that was deleted so soon leaves no line. */
const SOON_MS = 60_000;

/**
 * Whether a deleted message leaves nothing: hardly anybody has read it, and nobody has answered.
 *
 * @param {Row} message
 */
export function leavesNothing({ deleted_at, inserted_at, replies }) {
  if (!deleted_at || replies) return false;
  return Date.parse(deleted_at) - Date.parse(inserted_at) < SOON_MS;
}

/**
 * Puts the deleted messages that follow each other into one run: of one day, and without replies.
 *
 * @param {Row[]} messages
 * @returns {Row[][]} runs of deleted messages, and every other message by itself
 */
export function foldRuns(messages) {
  /** @type {Row[][]} */
  const runs = [];
  for (const message of messages) {
    const last = runs.at(-1);
    if (isOneRun(last?.at(-1), message)) last?.push(message);
    else runs.push([message]);
  }
  return runs;
}

/**
 * Whether two messages that follow each other are of one run.
 *
 * @param {Row | undefined} before
 * @param {Row | undefined} message
 */
export function isOneRun(before, message) {
  if (!before || !message || !folds(before) || !folds(message)) return false;
  return dayOf(before.inserted_at) === dayOf(message.inserted_at);
}

/** @param {Row} message */
function folds({ deleted_at, replies }) {
  return Boolean(deleted_at) && !replies;
}

/** Draws what is left of a deleted message. @param {{message: Row}} props */
export function Gone({ message }) {
  const { deleted_by } = message;
  const isByAnother = deleted_by && deleted_by !== labelOf(message);
  return html`
    <p class="gone-words">
      <${Trash} /><span title=${isByAnother ? deleted_by : undefined}>Message deleted${isByAnother && " by a moderator"}</span>
    </p>
  `;
}
