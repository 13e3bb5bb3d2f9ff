import { Component } from "preact";
import { sameAuthor } from "../../authors.js";
import { html } from "../../html.js";
import { dayOf } from "../../time.js";
import { LINES } from "./fold.js";
import { foldRuns, isOneRun, leavesNothing } from "./gone.js";
import { GoneRun } from "./gone-run.js";
import { Day, Message } from "./message.js";
import { notesBetween, RoomNotes } from "./shown-notes.js";

/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../authors.js").By} By */
/**
 * @typedef {object} ChunkProps
 * @property {Room} room
 * @property {Row[]} messages
 * @property {Row | undefined} before the last message of the chunk above
 * @property {string} today
 * @property {string} unsaved ids separated by spaces, so that two props are equal if their ids are
 * @property {number} firstNewSeq
 * @property {number} target the seq of the message that was asked for; 0 if it is not in this chunk
 * @property {import("../../messages.js").RoomNote[]} [notes] what became of the room between these messages
 * @property {boolean} [isInThread]
 */

/**
 * The number of messages that are laid out, painted and compared as one. With 5,000 messages held, one more re-renders
 * one chunk and compares 125; chunks out of sight cost no layout (`content-visibility` in conversation.css).
 */
export const CHUNK = 40;
const GROUP_MS = 5 * 60_000;

/** Chunk draws `CHUNK` messages, again only if they or their marks have changed. @extends {Component<ChunkProps>} */
export class Chunk extends Component {
  /** @param {ChunkProps} next */
  shouldComponentUpdate(next) {
    const { messages, notes = [], ...now } = this.props;
    const { messages: nextMessages, notes: nextNotes = [], ...then } = next;
    return !sameItems(messages, nextMessages) || !sameItems(notes, nextNotes) || !shallowEqual(now, then);
  }

  render() {
    const { messages, before } = this.props;
    const height = `auto ${estimateHeight(messages)}px`;
    const runs = foldRuns(messages);
    return html`
      <div class="chunk" style=${{ containIntrinsicBlockSize: height }}>
        ${runs.flatMap((run, index) => renderRun(run, runs[index - 1]?.at(-1) ?? before, this.props))}
      </div>
    `;
  }
}

/**
 * Cuts messages into chunks by their number, so that older messages move no border. Only a run of deleted ones is not cut.
 *
 * @param {Row[]} messages
 * @returns {Row[][]} chunks without the messages of which nothing is shown
 */
export function cutIntoChunks(messages) {
  const chunks = [];
  for (let from = 0, to = 0; from < messages.length; from = to) {
    const isHere = (/** @type {number} */ at) =>
      chunkOf(messages[at]) === chunkOf(messages[from]) || isOneRun(messages[at - 1], messages[at]);
    while (to < messages.length && isHere(to)) to += 1;
    const shown = messages.slice(from, to).filter((message) => !leavesNothing(message));
    if (shown.length) chunks.push(shown);
  }
  return chunks;
}

/** @param {Row | undefined} message @returns {number} */
export function chunkOf(message) {
  return Math.ceil((message?.nth ?? message?.seq ?? 0) / CHUNK);
}

/**
 * Compares each item, as any may have been replaced by a later state of it: 10,000 in 250 chunks take 0.01 ms.
 *
 * @param {unknown[]} a
 * @param {unknown[]} b
 */
function sameItems(a, b) {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** @param {Record<string, unknown>} a @param {Record<string, unknown>} b */
function shallowEqual(a, b) {
  return Object.keys(a).every((key) => a[key] === b[key]);
}

/**
 * Draws a message, or a run of deleted ones, and the lines above it. All have keys, so that their elements survive
 * older messages in front.
 *
 * @param {Row[]} run
 * @param {Row | undefined} before
 * @param {ChunkProps} props
 */
function renderRun(run, before, { room, today, unsaved, firstNewSeq, target, notes = [], isInThread }) {
  const message = /** @type {Row} */ (run[0]);
  // The place of firstNewSeq may be void: then the next message is the first new one.
  const isNew = firstNewSeq <= message.seq && firstNewSeq > (before?.seq ?? message.seq - 1);
  const newDay = !before || dayOf(before.inserted_at) !== dayOf(message.inserted_at);
  const end = /** @type {Row} */ (run.at(-1)).seq;
  const between = notes.length ? notesBetween(notes, before?.seq ?? 0, end) : notes;
  const first = !message.deleted_at && (newDay || isNew || between.length > 0 || !continues(before, message));
  const state = unsaved.split(" ").includes(message.id) ? "pending" : undefined;
  const props = { room, message, first, state, isTarget: message.seq === target, isInThread };
  const row =
    run.length > 1
      ? html`<${GoneRun} key=${message.seq} room=${room} messages=${run} />`
      : html`<${Message} key=${message.seq} ...${props} />`;
  const day = newDay && html`<${Day} key=${`day ${message.seq}`} iso=${message.inserted_at} today=${today} />`;
  const line = isNew && html`<p key=${`new ${message.seq}`} class="new">New</p>`;
  const noted = between.length > 0 && html`<${RoomNotes} key=${`notes ${message.seq}`} notes=${between} />`;
  return [noted, day, line, row].filter(Boolean);
}

/**
 * Whether a message belongs to the group of the one before. They have one author and are minutes apart at most.
 *
 * @param {(By & {inserted_at: string, deleted_at?: string}) | undefined} before
 * @param {By & {inserted_at: string}} message
 */
export function continues(before, message) {
  if (!before || before.deleted_at || !sameAuthor(before, message)) return false;
  return Date.parse(message.inserted_at) - Date.parse(before.inserted_at) < GROUP_MS;
}

/**
 * Estimates a chunk's height in pixels before its layout. The scroll bar then hardly moves.
 *
 * @param {Row[]} messages
 */
function estimateHeight(messages) {
  const lines = messages.reduce((sum, { message }) => sum + estimateLines(message), 0);
  return lines * 24 + messages.length * 16;
}

/** A long message is folded. @param {string} message */
function estimateLines(message) {
  if (message.length < 80 && !message.includes("\n")) return 1;
  return Math.min(LINES, Math.floor(message.length / 80) + message.split("\n").length);
}
