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
/** Received: a `RoomEvent`, an entry of the room's log that is no message. */
export const ROOM_EVENT = "room_event";
/** Received: `{seq}` of a broadcast entry that will never be saved. */
export const MESSAGE_VOIDED = "message_voided";
/** Sent as `ReadHistory`, answered with a `Page`. */
export const HISTORY = "history";
/** Sent as `{seq, key, name?}`, answered with `Reactors`. */
export const REACTIONS = "reactions";
/** Sent as `Position`, answered like a join with a `RecoveryAnswer`. The missed messages follow. */
export const SYNC = "sync";
/** Received: `{seq}` of the room's newest message. We read too slowly, and the server dropped what waited for us. */
export const RESYNC = "resync";
/** Received last of what a join brings: everyone who is here, or some of a crowd. */
export const PRESENCE_STATE = "presence_state";
/** Received: `{people}`, the number of people here, if not all are presences. */
export const PRESENCE_COUNT = "presence_count";

/** Sent: the operations on a message, by the word that the room's log has for each. */
export const OPERATIONS = {
  edit: "edit_message",
  delete: "delete_message",
  react: "react",
  unreact: "unreact",
  pin: "pin",
  unpin: "unpin",
};

/** Sent in a room that is somebody's, or by whom it becomes that. */
export const GOVERNING = {
  setRoom: "set_room", // `{title?, topic?, settings?, archived?}`
  invite: "invite", // `{handles}`
  remove: "remove_member", // `{handle, ban?}`
  unban: "unban_member", // `{handle}`
  setRole: "set_role", // `{handle, role}`
  mute: "mute_member", // `{handle, minutes}`; 0 ends it
  join: "join_room",
  leave: "leave_room",
  makeLink: "make_link", // `{uses, days}`, answered with `{code, url}`
};

/** Received: `{reason}`: the person was signed out, and this connection ends. */
export const SIGNED_OUT = "signed_out";

/** The topic of one account: its rooms, and how far it has read them. */
export const ME = "me";

/** Received on `me`. */
export const MINE = {
  added: "room_added", // `{room}`, a `MyRoom`
  removed: "room_removed", // `{slug, why, reason?}`
  changed: "room_changed", // `{slug, set}` with some fields of `MyRoom`
  activity: "activity", // `{slug, last_seq, last_nth, last, mentions?}`: something was said, or the last of it changed
  read: "read", // `{slug, seq, nth, rev, unread, mentions}`, also the answer to `markRead` and `markUnread`
  level: "level", // `{slug, level, until, hidden}`
  snapshot: "snapshot", // the answer to a join once more: this page has read too slowly
  account: "account", // `{id, handle, name, role}`: the person has another name or role
};

/** Sent on `me`. */
export const ASKED = {
  rooms: "rooms", // `{after}`: the next page of rooms, where there are too many for one
  markRead: "mark_read", // `{slug, seq, rev}`
  markUnread: "mark_unread", // `{slug, seq}`: from this message on
  markAllRead: "mark_all_read",
  setLevel: "set_level", // `{slug, level, until?, hidden?}`
};

/** Close codes of the server. */
export const CLOSED = { expired: 4001, signedOut: 4003 };

/** The version of the room's log that this page reads, as a join says it. */
export const LOG = 2;

export const SLUG = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** The slugs of rooms that are not public: nobody can guess one. */
const PRIVATE_SLUG = /^[pdg]--[a-z2-7]{26}$/;

/** In characters, counted like the server's: by code point. */
export const LIMITS = { name: 64, message: 4000 };

/** How long the author may change or delete a message, in seconds: the server's defaults, which only it can check. */
export const WINDOWS = { edit: 3600, delete: 3600 };

/** What the person reads for a reason. The order is that of the table "Errors" in docs/protocol.md. */
export const REASONS = {
  "unmatched topic": "there is no such room, or you are not in it",
  unauthorized: "you are not allowed here",
  sign_in: "only people with an account can do that here",
  name_taken: "the name is somebody else's",
  other_person: "somebody else is signed in",
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
  not_found: "the message is not there",
  gone: "the message was deleted",
  forbidden: "only its author can do that, and a guest only until the connection is lost",
  too_late: "the time for that is over",
  conflict: "the message was changed meanwhile",
  full: "there is no room for more of that",
  banned: "you are banned from this room",
  muted: "you may not write here for a while",
  read_only: "nobody writes here at present",
  archived: "the room is archived",
  slow_mode: "a moment has to pass between two messages here",
  confirm: "it would call many people",
  timeout: "no answer", // this page's own: none came in time,
  lost: "the connection to the server was lost", // nor can any come
};

// ---- Received

/**
 * @typedef {object} Posted a message, and what was done to it since
 * @property {string} name the author's
 * @property {import("./authors.js").Author} [author] the author's account; a guest has none
 * @property {string} message plain text; empty once it is deleted
 * @property {string} id the sender's own name for the message
 * @property {number} seq its place in the room's log: 1, 2, 3… without gaps, of which messages have some
 * @property {string} inserted_at UTC, ISO 8601 with microseconds
 * @property {boolean} [void] marks an empty place: it keeps the order and has no text
 * @property {number} [nth] how many messages there are up to this one
 * @property {number} [changed] the seq of the last entry that touched it; its own if missing
 * @property {number} [edits] how often it was edited
 * @property {string} [edited_at]
 * @property {string} [deleted_at]
 * @property {string} [deleted_by] a guest's name or an account's `@handle`, as in `pinned_by` and in reactions
 * @property {string} [pinned_at]
 * @property {string} [pinned_by]
 * @property {Record<string, Reaction>} [reactions] by emoji, in the order in which they came
 * @property {number} [reply_to] the seq of the message that it answers
 * @property {number} [root] the seq of the first message of its thread
 * @property {number} [root_replies] of a reply that is new: how many its root has now
 * @property {number} [replies] of a root
 * @property {number} [last_reply_seq] of a root
 * @property {Mentions} [mentions] whom it calls, in a room that is somebody's
 */

/** @typedef {{accounts?: number[], here?: boolean, room?: boolean}} Mentions */

/** @typedef {{count: number, names: string[]}} Reaction how many reacted so, and the first of them */

/** @typedef {{count: number, names: string[], mine: boolean, more?: boolean}} Reactors all who reacted so, or the first 500 */

/**
 * @typedef {object} OwnPart what this page adds to a message that it shows
 * @property {string[]} [mine] the emoji with which this person has reacted
 * @property {import("./room/operations.js").Operation[]} [operations] what this person does to it and is not done
 * @property {string[]} [not_here] handles in it that are nobody's in the room
 * @property {true} [called_here] it was said to who was here, and so was this page
 */

/** @typedef {Posted & OwnPart} Row a message as it is shown; another object whenever anything of it changes */

/**
 * @typedef {object} RoomEvent an entry of the room's log that is no message
 * @property {number} seq
 * @property {string} kind `edit`, `delete`, `react`, `pin`, `unpin`, `purge`, `member`, `room`; of any other only the place counts
 * @property {string} id
 * @property {string} at when it was said
 * @property {Doer} [by]
 * @property {number} [target] the seq of the message that it touches
 * @property {string} [message] of an edit: the new text
 * @property {number} [edits] of an edit: how many there are now
 * @property {Mentions} [mentions] of an edit: whom the new text calls
 * @property {boolean} [moderator] of a deletion: it was not the author's own
 * @property {string} [key] of reactions: the emoji
 * @property {string[]} [add] of reactions: up to 20 people who reacted
 * @property {string[]} [remove] of reactions: up to 20 people who took theirs back
 * @property {number} [count] of reactions: how many there are now
 * @property {string[]} [names] of reactions: the first people of the emoji now
 * @property {number} [account] of a purge: who has left
 * @property {boolean} [erase] of a purge: the texts are gone, too
 * @property {import("./room/fold.js").Range[]} [targets] of a purge: what the account has said
 * @property {import("./room/fold.js").Range[]} [touched] of a purge: what shows the account elsewhere
 */

/**
 * @typedef {object} RoomNews what an entry has besides that is about the room or its people
 * @property {MemberChange} [change] of people: what became of them
 * @property {Companion[]} [members] of people: who they are
 * @property {RoomMember["role"]} [role] of people: what they are now
 * @property {string} [until] of people: until when they are muted
 * @property {string} [reason] of people: why
 * @property {{kind?: RoomKind, title?: string, topic?: string, archived?: boolean, settings?: RoomView["settings"]}} [set] of
 *   the room: what has changed; the kind is in the first entry only
 */

/** @typedef {RoomEvent & RoomNews} RoomNote an entry of kind `member` or `room` */

/** @typedef {"joined" | "left" | "added" | "removed" | "banned" | "unbanned" | "role" | "muted" | "unmuted"} MemberChange */

/** @typedef {{name: string, id?: number, handle?: string}} Doer who did something: an account has an id */

/** @typedef {(Posted & {kind?: undefined, isPartial?: boolean}) | (RoomEvent & {void?: undefined})} Entry one place of the log */

/**
 * @typedef {object} RecoveryAnswer the server's `Recovery`: where this page stands in a room
 * @property {number} epoch counts the starts of the server
 * @property {number} seq the newest in the room
 * @property {number} base messages above it that came in an earlier epoch are void
 * @property {boolean} recovered the missed messages follow; if false, everything held must be dropped
 * @property {number} missed the number of those messages
 * @property {boolean} more not all of them follow: the rest is read with `HISTORY`
 * @property {RoomView} [room] what the room is for this person, where it is somebody's
 */

/**
 * @typedef {object} RoomView the server's `RoomView`
 * @property {"public" | "private" | "direct" | "group"} kind
 * @property {string} title
 * @property {string} topic
 * @property {Record<string, string | number | boolean>} settings
 * @property {boolean} archived
 * @property {"owner" | "moderator" | "member" | null} role this person's; null where they are no member
 * @property {number} members how many there are
 * @property {number} [joined_seq] the entry with which this person came
 * @property {string} [muted_until]
 */

/**
 * @typedef {object} Acknowledged answers a post or an operation: it is in the database
 * @property {string} id
 * @property {number} seq
 * @property {string} inserted_at
 * @property {boolean} [duplicate] it was so before
 * @property {string[]} [not_here] handles in a message that are nobody's in the room
 */

/**
 * @typedef {object} Page
 * @property {Posted[]} messages oldest first; what was changed after a place: the earliest change first
 * @property {number} [as_of] the messages show everything up to this seq
 * @property {number} [next] goes on after a page of what was changed
 * @property {boolean} more further messages exist in the direction asked for; older ones in a page around a place
 * @property {boolean} [more_after] of a page around a place: newer ones exist
 */

/**
 * @typedef {object} EventPage what became of a room and its people between two places
 * @property {RoomNote[]} events oldest first
 * @property {boolean} more there are older ones
 * @property {number} [next] which are before this place
 */

/**
 * @typedef {object} Refused
 * @property {string} [reason] one of `REASONS`
 * @property {string} [field] the part of an invalid payload
 * @property {string} [message] what was expected there and what came
 * @property {number} [retry_after_ms]
 * @property {number} [people] so many would be called
 * @property {string[]} [handles] nobody has these
 * @property {string} [suggestion] a name that a guest may have in place of the one that is taken
 */

/** @typedef {{name: string, author?: import("./authors.js").Author, connections: number}} Person */

/**
 * @typedef {object} RoomSummary from /api/rooms
 * @property {string} name
 * @property {number} seq of the newest entry
 * @property {number} [nth] how many messages there are
 * @property {string | null} last_message_at
 * @property {number} people
 * @property {string} [topic] what the room is for, where it has a topic
 * @property {string} [title] where it has one
 */

/** @typedef {"public" | "private" | "direct" | "group"} RoomKind */
/** @typedef {"everything" | "mentions" | "nothing"} Level what of a room shall be noticed */
/**
 * @typedef {"read" | "post" | "operate_others" | "pin" | "invite" | "make_link" | "remove" | "ban" | "mute" | "set_topic"
 *   | "set_title" | "set_rules" | "set_role" | "mention_room"} Power what somebody may do in a room
 */
/**
 * @typedef {Companion & {role: "owner" | "moderator" | "member", joined_seq?: number, muted_until?: string}} RoomMember
 *   from /api/rooms/<slug>/members
 */
/** @typedef {{id: number, handle: string, name: string}} Companion somebody in a direct room or a group */

/**
 * @typedef {object} MyRoom a room of which this person is a member
 * @property {string} slug
 * @property {RoomKind} kind
 * @property {string} title empty where it has none
 * @property {string} topic
 * @property {"owner" | "moderator" | "member"} role
 * @property {Level} level
 * @property {string | null} level_until then the level is the usual one again
 * @property {boolean} hidden
 * @property {boolean} archived
 * @property {number} last_seq of the newest entry
 * @property {number} last_nth how many messages there are
 * @property {number} read_seq up to where the person has read
 * @property {number} read_nth how many messages there are up to there
 * @property {number} rev how often the mark was set back: what knows fewer of them does not move it
 * @property {number} mentions how many of the unread messages name the person
 * @property {{name: string, text: string, at: string} | null} last the newest message in one line
 * @property {number} people how many are members
 * @property {Companion[]} [with] of a direct room and a group: who is in it
 */

// ---- Sent

/**
 * @typedef {object} Post
 * @property {string} name
 * @property {string} message
 * @property {string} id
 * @property {true} [repeat] it may have been sent before
 * @property {number} [reply_to] the seq of the message that it answers
 * @property {true} [confirmed] it may call many people
 */

/**
 * @typedef {object} Position
 * @property {number} [since] the highest seq without a gap
 * @property {number} [epoch] the server's when that message came
 */

/**
 * @typedef {object} ReadHistory asks for one page
 * @property {number} [before] messages older than this one; of pins: what was pinned before it
 * @property {number} [after] messages that something has changed after this place, new ones among them; of a thread: later replies
 * @property {number} [around] messages on both sides of this place
 * @property {number[]} [seqs] these messages, at most `MAX_SEQS`
 * @property {number} [root] a thread: its first message and the replies to it
 * @property {true} [pinned] the pinned messages, the latest pinned first
 * @property {true} [events] no messages but what became of the room and its people, an `EventPage`
 * @property {number} [limit]
 */

/** The most messages that one request may name. */
export const MAX_SEQS = 100;

// ---- Slugs and reasons

/** @param {string} slug */
export function isPrivateSlug(slug) {
  return PRIVATE_SLUG.test(slug);
}

/** Returns the words for the person; a reason without words is shown as it is. @param {Refused} refusal */
export function explain({ reason = "", message }) {
  if (reason === "invalid" && message) return message;
  return new Map(Object.entries(REASONS)).get(reason) ?? reason;
}
