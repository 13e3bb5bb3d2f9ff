/** Who is known to be here now: the people of the room on the screen. And whom this tab has met in any room. */

import { effect, signal } from "@preact/signals";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../messages.js").Companion} Companion */
/** @typedef {{current: {readonly value: Room}, all: {peek: () => Room[]}}} Visited */

/** So many of the messages that a room holds tell who speaks there. */
const LATEST = 100;

/** By the ids of their accounts. Replaced, never changed. */
const here = signal(/** @type {Map<number, Companion>} */ (new Map()));
/** By the ids of their accounts, who was here at some time. @type {Map<number, Companion>} */
const met = new Map();
/** The rooms that were visited in this tab. */
let rooms = () => /** @type {Room[]} */ ([]);

/** Whether an account is in the room on the screen. Reads a signal. @param {number} id */
export function isHere(id) {
  return here.value.has(id);
}

/** Returns those with an account who are in the room on the screen; then who was or has spoken in a room of this tab. Reads a signal. */
export function peopleMet() {
  const people = [...here.value.values(), ...rooms().flatMap(authorsOf), ...met.values()];
  return [...new Map(people.map((person) => [person.id, person])).values()];
}

/** @param {Visited} visited */
export function watchHere({ current, all }) {
  rooms = () => all.peek();
  effect(() => {
    const people = current.value.people.listed.value.flatMap(({ name, author }) => (author ? { ...author, name } : []));
    const isSame = people.length === here.peek().size && people.every(isKnown);
    if (isSame) return;
    here.value = new Map(people.map((person) => [person.id, person]));
    for (const person of people) met.set(person.id, person);
  });
}

/** Returns who has spoken lately in a room, as far as it is held. @param {Room} room @returns {Companion[]} */
function authorsOf({ history }) {
  const messages = history.messages.peek().slice(-LATEST);
  return messages.flatMap(({ name, author }) => (author ? [{ ...author, name }] : []));
}

/** @param {Companion} person */
function isKnown({ id, handle, name }) {
  const known = here.peek().get(id);
  return known?.handle === handle && known.name === name;
}
