/**
 * The words the page and the server say to each other, and their limits: the browser's side of the vocabulary.
 * The server checks every limit again; here they only let the person know in time.
 */

/** A room's topic is this, a colon and its slug. */
export const TOPIC = "chat_room";

/** Both ways: out as `Post`, in as `Posted`. */
export const NEW_MESSAGE = "new_message";
/** Both ways: `{name}` is writing something. */
export const TYPING = "typing";
/** In: `{seq}`, what was heard there will never be saved. */
export const MESSAGE_VOIDED = "message_voided";
/** Out as `ReadHistory`, answered with a `Page`. */
export const HISTORY = "history";
/** Out as `Position`, answered like a join: `RecoveryAnswer`. What was missed follows. */
export const SYNC = "sync";
/** In: `{seq}`, we read too slowly, and what waited for us was dropped. */
export const RESYNC = "resync";
/** In, last of what a join brings: everyone who is here, or some of a crowd. */
export const PRESENCE_STATE = "presence_state";
/** In: `{people}`, how many are here, where that is more than the presences tell. */
export const PRESENCE_COUNT = "presence_count";

export const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Characters are counted as the server counts them: by code point. */
export const LIMITS = { name: 64, message: 4000 };

/** The reasons of error replies in words for the person, in the order of the table "Errors" in docs/protocol.md. */
export const REASONS = {
  "unmatched topic": "the room was closed",
  unauthorized: "you are not allowed here",
  "join crashed": "the server could not check whether you are allowed here",
  "too many channels joined": "too many rooms are open",
  unavailable: "the room cannot be opened now",
  "unknown event": "the server does not know what was asked of it",
  overloaded: "the server is busy",
  id_taken: "something else was sent under its number",
  not_saved: "the server could not save it",
  quarantined: "the server failed at it",
  rate_limited: "too many at once",
  invalid: "the server does not accept it",
  timeout: "no answer", // this page's own: none came in time
};

/**
 * @typedef {object} Posted
 * @property {string} name who said it
 * @property {string} message what was said, plain text
 * @property {string} id the sender's own name for it
 * @property {number} seq its place in the room: 1, 2, 3… without gaps
 * @property {string} inserted_at UTC, ISO 8601 with microseconds
 * @property {boolean} [void] an empty place: it keeps the order, and nothing was said there
 */

/**
 * @typedef {object} RecoveryAnswer where this page stands in a room
 * @property {number} epoch the server's; another one after each start of it
 * @property {number} seq the newest in the room
 * @property {number} base what was heard above it in an earlier epoch is void
 * @property {boolean} recovered what was missed follows; otherwise all that is held is to be dropped
 * @property {number} missed how many messages that is
 * @property {boolean} more not all of them follow: the rest is read with `HISTORY`
 */

/** @typedef {{name: string, message: string, id: string, repeat?: true}} Post `repeat`: it may have been sent before */
/** @typedef {{id: string, seq: number, inserted_at: string, duplicate?: true}} Acknowledged the reply to a post: it is in the database */
/** @typedef {{since?: number, epoch?: number | undefined}} Position the highest seq without a gap, and when it was heard */
/** @typedef {{before?: number, after?: number, limit?: number}} ReadHistory */
/** @typedef {{messages: Posted[], more: boolean}} Page oldest first; `more` in the direction asked for */
/** @typedef {{reason?: string, field?: string, message?: string, retry_after_ms?: number}} Refused */
/** @typedef {{name: string, connections: number}} Person */
/** @typedef {{name: string, last_message_at: string | null, people: number}} RoomSummary */

/** @param {Refused} refusal @returns {string} */
export function explain({ reason = "", message }) {
  if (reason === "invalid" && message) return message;
  return /** @type {Record<string, string>} */ (REASONS)[reason] ?? reason;
}
