/** The room on the screen as the person came to it: where new messages begin, and whether what they see counts as read. */

import { effect, untracked } from "@preact/signals";
import { isLooking } from "../browser/looking.js";
import { membershipOf, memberships, unreadOf } from "./memberships.js";
import { myTopic } from "./my-topic.js";
import { markRead } from "./read-marks.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {{readonly value: Room}} Current */

/** The `rev` of the mark when the person came to the room. @type {{slug: string, rev: number | undefined}} */
let arrival = { slug: "", rev: undefined };

/** @param {Current} current */
export function watchVisits(current) {
  noteArrivals(current);
  placeLine(current);
}

/**
 * Notes that the person has seen everything up to a place. A mark that was set back since they came, here or elsewhere,
 * stays until they come again: it was set back to be found later.
 *
 * @param {string} slug
 * @param {number} seq
 */
export function seen(slug, seq) {
  if (arrival.slug === slug && arrival.rev === memberships.peek().get(slug)?.rev) markRead(slug, seq);
}

/** Lets what is seen count as read again: the person has said so. @param {string} slug */
export function readAgain(slug) {
  if (arrival.slug === slug) arrival = { slug, rev: memberships.peek().get(slug)?.rev };
}

/** @param {Current} current */
function noteArrivals(current) {
  effect(() => {
    const { slug } = current.value;
    const rev = myTopic.snapshots.value ? membershipOf(slug)?.rev : undefined;
    if (arrival.slug !== slug || arrival.rev === undefined) arrival = { slug, rev };
  });
}

/**
 * Puts the line above the first new message each time the person comes to a room. It stands still while they read, unless
 * the mark is set back, and follows the mark while they look elsewhere.
 *
 * @param {Current} current
 */
function placeLine(current) {
  let stands = "";
  effect(() => {
    const room = current.value;
    const mine = membershipOf(room.slug);
    const lists = myTopic.snapshots.value;
    const isReading = isLooking.value;
    if (!mine || !lists) return void (stands = "");
    const now = isReading ? `${room.slug} ${mine.rev} ${lists}` : "";
    if (now && now === stands) return;
    stands = now;
    const next = isReading && !unreadOf(mine) ? 0 : mine.read_seq + 1;
    untracked(() => (room.firstNewSeq.value = next));
  });
}
