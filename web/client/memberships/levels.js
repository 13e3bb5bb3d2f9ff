/** What of a room shall be noticed, and what the page therefore shows of it. */

import { minute } from "../time.js";
import { unreadOf } from "./memberships.js";

/** @typedef {import("../messages.js").MyRoom} MyRoom */
/** @typedef {import("../messages.js").Level} Level */

/**
 * @typedef {object} Badge what a row in the sidebar shows of new messages
 * @property {number} unread
 * @property {number} mentions
 * @property {boolean} isCounted the number is shown, else only that there are some
 */

const HOUR_MS = 3_600_000;
/** When a morning begins. */
const MORNING = 8;

/** For how long a room can be muted, and how that is said. @type {[string, (now: Date) => Date][]} */
export const MUTES = [
  ["for 1 hour", (now) => new Date(now.getTime() + HOUR_MS)],
  ["for 8 hours", (now) => new Date(now.getTime() + 8 * HOUR_MS)],
  ["until tomorrow", tomorrow],
];

/** Returns the level that holds now. Reads a signal. @param {MyRoom} room @returns {Level} */
export function levelOf({ kind, level, level_until }, now = Date.now()) {
  if (level_until === null) return level;
  minute.value; // its end is to be seen on the page, too, also where nothing else happens
  if (Date.parse(level_until) > now) return level;
  return kind === "direct" || kind === "group" ? "everything" : "mentions";
}

/** Returns what is shown of new messages. Reads a signal. @param {MyRoom} room @returns {Badge} */
export function badgeOf(room) {
  const level = levelOf(room);
  if (level === "nothing") return { unread: 0, mentions: 0, isCounted: false };
  return { unread: unreadOf(room), mentions: room.mentions, isCounted: level === "everything" };
}

/** Returns the next morning, by this browser's clock. @param {Date} now */
function tomorrow(now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, MORNING);
}
