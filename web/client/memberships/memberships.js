/**
 * The rooms of which this person is a member, and how far they have read each. A guest has none.
 *
 * The topic `me` brings all of them and then what becomes of each. The browser keeps the last list for the next visit,
 * apart from what it keeps for others.
 */

import { signal } from "@preact/signals";
import { load, save } from "../browser/storage.js";

/** @typedef {import("../messages.js").MyRoom} MyRoom */

/** @typedef {{seq: number, nth: number, rev: number, mentions: number}} Mark up to where a room is read */

const KEPT = "memberships";
/** A busy room changes with each message; localStorage would be written as often. */
const STORE_MS = 1000;

/** By slug. Replaced, never changed. */
export const memberships = signal(parse(load(KEPT)));
/** @type {ReturnType<typeof setTimeout> | undefined} runs while something is to be stored */
let timer;

/** Returns a room of this person; undefined for any other. Reads a signal. @param {string} slug */
export function membershipOf(slug) {
  return memberships.value.get(slug);
}

/** Returns how many messages of a room are new to the person. @param {MyRoom} room */
export function unreadOf({ last_nth, read_nth }) {
  return Math.max(0, last_nth - read_nth);
}

/** Returns everybody with whom this person has a direct room or a group, and who has an account still. Reads a signal. */
export function knownPeople() {
  const people = [...memberships.value.values()].flatMap((room) => room.with ?? []).filter(({ handle }) => handle);
  return [...new Map(people.map((person) => [person.id, person])).values()];
}

// ---- What becomes of them

/** Adds rooms, or replaces what was known of them. @param {MyRoom[]} rooms */
export function put(...rooms) {
  set(new Map([...memberships.peek(), ...rooms.map((room) => /** @type {const} */ ([room.slug, room]))]));
}

/** Drops a room, at once also from what the browser keeps, and returns what it was. @param {string} slug */
export function drop(slug) {
  const others = new Map(memberships.peek());
  const room = others.get(slug);
  others.delete(slug);
  if (room) {
    set(others);
    store();
  }
  return room;
}

/** @param {string} slug @param {Partial<MyRoom>} changes */
export function change(slug, changes) {
  const known = memberships.peek().get(slug);
  if (known) put({ ...known, ...changes });
}

/**
 * Takes over that a room goes on. What is heard in the room itself may come before or after what `me` says of it.
 *
 * @param {string} slug
 * @param {Partial<MyRoom> & {last_seq: number, last_nth: number}} news
 */
export function goOn(slug, { last_seq, last_nth, ...others }) {
  const known = memberships.peek().get(slug);
  if (!known) return;
  const isOlder = last_seq < known.last_seq;
  if (isOlder) put({ ...known, ...("mentions" in others && { mentions: others.mentions }) });
  else put({ ...known, ...others, last_seq, last_nth });
}

/**
 * Takes over a mark. One that knows of fewer set-backs is older, and so is a lower one that knows of as many.
 *
 * @param {string} slug
 * @param {Mark} mark
 */
export function mark(slug, { seq, nth, rev, mentions }) {
  const known = memberships.peek().get(slug);
  if (!known || rev < known.rev || (rev === known.rev && seq < known.read_seq)) return;
  put({ ...known, read_seq: seq, read_nth: nth, rev, mentions });
}

// ---- Internal

/** @param {Map<string, MyRoom>} next */
function set(next) {
  memberships.value = next;
  timer ??= setTimeout(store, STORE_MS);
}

function store() {
  clearTimeout(timer);
  timer = undefined;
  save(KEPT, JSON.stringify([...memberships.peek().values()]));
}

/** @param {string} json */
function parse(json) {
  try {
    /** @type {MyRoom[]} */
    const rooms = JSON.parse(json);
    return new Map(rooms.map((room) => [room.slug, room]));
  } catch {
    return new Map();
  }
}
