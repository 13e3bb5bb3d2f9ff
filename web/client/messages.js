/**
 * The words the page and the server say to each other, and their limits: the browser's side of the vocabulary.
 * The server checks every limit again; here they only let the person know in time.
 */

/** A room's topic is this, a colon and its slug. */
export const TOPIC = "chat_room";

/** Both ways: out as `Post`, in as `NewMessage`. */
export const NEW_MESSAGE = "new_message";
/** Both ways: `{name}` is writing something. */
export const TYPING = "typing";
/** Out as `HistoryRequest`, answered with a `HistoryPage`. */
export const HISTORY = "history";
/** In, last of what a join brings: everyone who is here. */
export const PRESENCE_STATE = "presence_state";

export const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Characters are counted as the server counts them: by code point. */
export const LIMITS = { name: 64, message: 4000, history: 100 };

/** What a reason in an error reply means to the person reading it. */
export const REASONS = {
  overloaded: "the server is busy",
  rate_limited: "too many at once",
  unauthorized: "you are not allowed here",
  unavailable: "the room cannot be opened now",
  "unmatched topic": "the room was closed",
  "too many channels joined": "too many rooms are open",
  timeout: "no answer",
};

/**
 * @typedef {object} NewMessage
 * @property {string} name who said it
 * @property {string} message what was said, plain text
 * @property {string} id the sender's own name for it
 * @property {number} seq its place in the room: 1, 2, 3… without gaps
 * @property {string} inserted_at UTC, ISO 8601 with microseconds
 */

/** @typedef {{name: string, message: string, id: string}} Post */
/** @typedef {{id: string, seq: number, inserted_at: string}} Posted the reply to a post: it is in the database */
/** @typedef {{before?: number, limit?: number}} HistoryRequest */
/** @typedef {{messages: NewMessage[], more: boolean}} HistoryPage oldest first; `more` is older still */
/** @typedef {{reason?: string, field?: string, message?: string, retry_after_ms?: number}} Refusal */
/** @typedef {{name: string, connections: number}} Person */
/** @typedef {{name: string, last_message_at: string | null, people: number}} RoomSummary */

/** @param {Refusal} refusal @returns {string} */
export function explain({ reason = "", message }) {
  if (reason === "invalid" && message) return message;
  return /** @type {Record<string, string>} */ (REASONS)[reason] ?? reason;
}
