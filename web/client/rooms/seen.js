import { signal } from "@preact/signals";
import { load, save } from "../browser/storage.js";
import { badgeOf } from "../memberships/levels.js";
import { membershipOf } from "../memberships/memberships.js";
import { isPrivateSlug } from "../messages.js";
import { choices } from "./choices.js";

/** @typedef {import("../messages.js").RoomSummary} RoomSummary */

/**
 * @typedef {object} Mark up to where a room was seen
 * @property {number} seq
 * @property {number} epoch the server's at that time
 * @property {number} nth how many messages there were up to there: the places between them are no news
 */

/** A busy room moves its mark with each message; localStorage would be written as often. */
const STORE_MS = 300;

/** By slug, how far this browser has shown each room. */
export const marks = signal(parse(load("seen")));
/** By slug, what this page has said above the mark, in rooms that are not on the screen. */
const own = signal(/** @type {Map<string, number[]>} */ (new Map()));
/** @type {ReturnType<typeof setTimeout> | undefined} runs while something is to be stored */
let timer;

/** Takes over what another tab has saved. @param {string} json */
export function adoptMarks(json) {
  marks.value = merge(marks.peek(), parse(json));
}

/**
 * Marks a room as seen up to a place. Of a private room nothing is kept: the server keeps its marks, and a page that
 * does not know yet who is signed in keeps things for a guest.
 *
 * @param {string} slug
 * @param {Mark} mark
 */
export function markSeen(slug, mark) {
  if (isPrivateSlug(slug)) return;
  const known = marks.peek().get(slug);
  if (known && !isFurther(mark, known)) return;
  marks.value = new Map(marks.peek()).set(slug, mark);
  own.value = new Map(own.peek()).set(slug, aboveMark(slug, mark));
  timer ??= setTimeout(storeMarks, STORE_MS);
}

/** Notes a message of this person, which is not new to them. @param {string} slug @param {number} seq */
export function noteOwn(slug, seq) {
  own.value = new Map(own.peek()).set(slug, [...(own.peek().get(slug) ?? []), seq]);
}

/** Forgets a room in which this person is no more. @param {string} slug */
export function forgetSeen(slug) {
  const others = new Map(marks.peek());
  if (!others.delete(slug)) return;
  marks.value = others;
  save("seen", JSON.stringify([...others]));
}

/** Stores what was marked since, merged with what other tabs have stored meanwhile. */
export function storeMarks() {
  if (timer === undefined) return;
  clearTimeout(timer);
  timer = undefined;
  adoptMarks(load("seen"));
  save("seen", JSON.stringify([...marks.peek()]));
}

/**
 * Counts the messages of a room that its member has not read, and of any other that this browser has not shown. A room
 * never visited has none, and a muted one says nothing of them.
 *
 * @param {RoomSummary} room
 */
export function countUnread({ name, seq, nth = seq }) {
  const mine = membershipOf(name);
  return mine ? badgeOf(mine).unread : countUnseen({ name, seq, nth });
}

/** @param {{name: string, seq: number, nth: number}} room */
function countUnseen({ name, seq, nth }) {
  const mark = marks.value.get(name);
  if (!mark || choices.value.muted.includes(name)) return 0;
  const mine = aboveMark(name, mark).filter((each) => each <= seq).length;
  return Math.max(0, nth - mark.nth - mine); // the list may be older than what was shown
}

/** @param {string} slug @param {Mark} mark */
function aboveMark(slug, mark) {
  return (own.value.get(slug) ?? []).filter((seq) => seq > mark.seq);
}

/** @param {Map<string, Mark>} a @param {Map<string, Mark>} b */
function merge(a, b) {
  const merged = new Map(a);
  for (const [slug, mark] of b) {
    const known = merged.get(slug);
    if (!known || isFurther(mark, known)) merged.set(slug, mark);
  }
  return merged;
}

/**
 * Whether a mark is to replace another: the larger seq does. What the server lost at its end is said anew by its next
 * epoch under the same numbers, so a mark of a later epoch replaces a larger one.
 *
 * @param {Mark} mark
 * @param {Mark} known
 */
function isFurther(mark, known) {
  return mark.epoch === known.epoch ? mark.seq > known.seq : mark.epoch > known.epoch;
}

/**
 * Reads marks, also those of earlier versions, which had no epoch or no nth: each place was a message then.
 *
 * @param {string} json
 * @returns {Map<string, Mark>}
 */
function parse(json) {
  try {
    /** @type {[string, Partial<Mark>][]} */
    const saved = JSON.parse(json);
    return new Map(saved.map(([slug, { seq = 0, epoch = 0, nth = seq }]) => [slug, { seq, epoch, nth }]));
  } catch {
    return new Map();
  }
}
