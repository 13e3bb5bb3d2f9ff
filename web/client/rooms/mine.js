/** One's own rooms among all others: in sections, and those with something new first. */

import { LOBBY } from "../browser/route.js";
import { isSignedIn } from "../me.js";
import { badgeOf } from "../memberships/levels.js";
import { membershipOf } from "../memberships/memberships.js";
import { kindOf, othersIn } from "../memberships/titles.js";
import { choices } from "./choices.js";
import { countUnread } from "./seen.js";

/** @typedef {import("../messages.js").MyRoom} MyRoom */
/** @typedef {import("../messages.js").RoomKind} RoomKind */
/** @typedef {import("../messages.js").RoomSummary} RoomSummary */

/** The sections of the sidebar, in their order. @type {{kind: RoomKind, title: string}[]} */
export const SECTIONS = [
  { kind: "public", title: "Rooms" },
  { kind: "private", title: "Private rooms" },
  { kind: "group", title: "Groups" },
  { kind: "direct", title: "Direct messages" },
];
const KINDS = SECTIONS.map(({ kind }) => kind);

/** A room that has not changed has the same summary, so that its row is not drawn anew. @type {WeakMap<MyRoom, RoomSummary>} */
const summaries = new WeakMap();

/** Returns what the list of rooms says of one's own room. @param {MyRoom} room @returns {RoomSummary} */
export function summaryOfMine(room) {
  const known = summaries.get(room);
  if (known) return known;
  const { slug: name, last_seq: seq, last_nth: nth, last, people, topic, title } = room;
  const made = { name, seq, nth, last_message_at: last?.at ?? null, people, topic, title };
  summaries.set(room, made);
  return made;
}

/** Returns the person at the other end of a direct room; undefined for oneself. Reads signals. @param {string} slug */
export function partnerIn(slug) {
  const room = membershipOf(slug);
  return room?.kind === "direct" ? othersIn(room)[0] : undefined;
}

/** Whether the person has put a room out of sight. Reads a signal. @param {{name: string}} room */
export function isHidden({ name }) {
  return membershipOf(name)?.hidden === true;
}

/** Returns how many new messages of a room name the person. Reads signals. @param {{name: string}} room */
export function countMentions({ name }) {
  const mine = membershipOf(name);
  return mine ? badgeOf(mine).mentions : 0;
}

/**
 * Puts the rooms of somebody with an account into the order of the sections, in each the lobby and the pinned rooms
 * first, then those that name the person, then those with new messages, the latest first.
 *
 * @param {RoomSummary[]} list in the order of a guest
 */
export function orderMine(list) {
  if (!isSignedIn.value) return list;
  const { pinned } = choices.value;
  const ranks = new Map(list.map((room, at) => [room, rankOf(room, pinned, at)]));
  return list.toSorted((a, b) => compare(ranks.get(a) ?? [], ranks.get(b) ?? []) || later(a, b));
}

/** @param {RoomSummary} room @param {string[]} pinned @param {number} at */
function rankOf(room, pinned, at) {
  const { name } = room;
  const isFirst = name === LOBBY || pinned.includes(name);
  const news = countMentions(room) ? 0 : countUnread(room) ? 1 : 2;
  return [KINDS.indexOf(kindOf(name)), isFirst ? at - KEPT_FIRST : 0, isFirst ? 0 : news];
}

/** More than there are rooms: the lobby and the pinned ones stand above all others, in their own order. */
const KEPT_FIRST = 1_000_000;

/** @param {number[]} a @param {number[]} b */
function compare(a, b) {
  const at = a.findIndex((rank, index) => rank !== b[index]);
  return at < 0 ? 0 : /** @type {number} */ (a[at]) - /** @type {number} */ (b[at]);
}

/** @param {RoomSummary} a @param {RoomSummary} b */
function later(a, b) {
  return Date.parse(b.last_message_at ?? "1970") - Date.parse(a.last_message_at ?? "1970");
}
