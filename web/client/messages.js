/**
 * The browser's side of the vocabulary: events, payloads, reasons and limits.
 *
 * It says the same words as the server's chatter/messages.py. The server checks every limit again; here they only let
 * the person know in time.
 */

/** A room's topic is `chat_room:<slug>`. */
export const TOPIC = "chat_room";

/** Sent as `Post`, received as `Posted`. */
export const NEW_MESSAGE = "new_message";
/** Sent and received: `{name}` is writing. */
export const TYPING = "typing";
/** Received: `{seq}` of a broadcast message that will never be saved. */
export const MESSAGE_VOIDED = "message_voided";
/** Sent as `ReadHistory`, answered with a `Page`. */
export const HISTORY = "history";
/** Sent as `Position`, answered like a join with a `RecoveryAnswer`. The missed messages follow. */
export const SYNC = "sync";
/** Received: `{seq}` of the room's newest message. We read too slowly, and the server dropped what waited for us. */
export const RESYNC = "resync";
/** Received last of what a join brings: everyone who is here, or some of a crowd. */
export const PRESENCE_STATE = "presence_state";
/** Received: `{people}`, the number of people here, if not all are presences. */
export const PRESENCE_COUNT = "presence_count";

export const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** In characters, counted like the server's: by code point. */
export const LIMITS = { name: 64, message: 4000 };

/** What the person reads for a reason. The order is that of the table "Errors" in docs/protocol.md. */
export const REASONS = {
  "unmatched topic": "the room was closed",
  unauthorized: "you are not allowed here",
  "join crashed": "the server could not check whether you are allowed here",
  "too many channels joined": "too many rooms are open",
  unavailable: "the room cannot be opened now",
  "unknown event": "the server does not know what was asked of it",
  overloaded: "the server is busy",
  busy: "the server is busy",
  id_taken: "something else was sent under its number",
  not_saved: "the server could not save it",
  quarantined: "the server failed at it",
  rate_limited: "too many at once",
  invalid: "the server does not accept it",
  timeout: "no answer", // this page's own: none came in time
};

// ---- Received

/**
 * @typedef {object} Posted
 * @property {string} name the author
 * @property {string} message plain text
 * @property {string} id the sender's own name for the message
 * @property {number} seq its place in the room: 1, 2, 3… without gaps
 * @property {string} inserted_at UTC, ISO 8601 with microseconds
 * @property {boolean} [void] marks an empty place: it keeps the order and has no text
 */

/**
 * @typedef {object} RecoveryAnswer the server's `Recovery`: where this page stands in a room
 * @property {number} epoch counts the starts of the server
 * @property {number} seq the newest in the room
 * @property {number} base messages above it that came in an earlier epoch are void
 * @property {boolean} recovered the missed messages follow; if false, everything held must be dropped
 * @property {number} missed the number of those messages
 * @property {boolean} more not all of them follow: the rest is read with `HISTORY`
 */

/**
 * @typedef {object} Acknowledged answers a post: it is in the database
 * @property {string} id
 * @property {number} seq
 * @property {string} inserted_at
 * @property {true} [duplicate] it was posted before
 */

/**
 * @typedef {object} Page
 * @property {Posted[]} messages oldest first
 * @property {boolean} more further messages exist in the direction asked for; older ones in a page around a place
 * @property {boolean} [more_after] of a page around a place: newer ones exist
 */

/**
 * @typedef {object} Refused
 * @property {string} [reason] one of `REASONS`
 * @property {string} [field] the part of an invalid payload
 * @property {string} [message] what was expected there and what came
 * @property {number} [retry_after_ms]
 */

/** @typedef {{name: string, connections: number}} Person */

/**
 * @typedef {object} RoomSummary from /api/rooms
 * @property {string} name
 * @property {number} seq of the newest message
 * @property {string | null} last_message_at
 * @property {number} people
 * @property {string} [topic] what the room is for, where it has a topic
 * @property {number} [mentions] how many of the new messages name this person, where the server knows
 */

// ---- Sent

/**
 * @typedef {object} Post
 * @property {string} name
 * @property {string} message
 * @property {string} id
 * @property {true} [repeat] it may have been sent before
 */

/**
 * @typedef {object} Position
 * @property {number} [since] the highest seq without a gap
 * @property {number} [epoch] the server's when that message came
 */

/** @typedef {{before?: number, after?: number, around?: number, limit?: number}} ReadHistory */

// ---- Reasons

/** Returns the words for the person; a reason without words is shown as it is. @param {Refused} refusal */
export function explain({ reason = "", message }) {
  if (reason === "invalid" && message) return message;
  return new Map(Object.entries(REASONS)).get(reason) ?? reason;
}
