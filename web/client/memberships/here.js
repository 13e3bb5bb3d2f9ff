/** Who is known to be here now: the people of the room on the screen. */

import { effect, signal } from "@preact/signals";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../messages.js").Companion} Companion */

/** By the ids of their accounts. Replaced, never changed. */
const here = signal(/** @type {Map<number, Companion>} */ (new Map()));

/** Whether an account is in the room on the screen. Reads a signal. @param {number} id */
export function isHere(id) {
  return here.value.has(id);
}

/** Returns those with an account who are in the room on the screen. Reads a signal. */
export function peopleHere() {
  return [...here.value.values()];
}

/** @param {{readonly value: Room}} current */
export function watchHere(current) {
  effect(() => {
    const people = current.value.people.listed.value.flatMap(({ name, author }) => (author ? { ...author, name } : []));
    const isSame = people.length === here.peek().size && people.every(isKnown);
    if (!isSame) here.value = new Map(people.map((person) => [person.id, person]));
  });
}

/** @param {Companion} person */
function isKnown({ id, handle, name }) {
  const known = here.peek().get(id);
  return known?.handle === handle && known.name === name;
}
