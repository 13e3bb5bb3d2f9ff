/** Who is known to be here now: the people of the room on the screen. */

import { effect, signal } from "@preact/signals";

/** @typedef {import("../room/room.js").Room} Room */

/** The ids of accounts. */
const here = signal(/** @type {Set<number>} */ (new Set()));

/** Whether an account is in the room on the screen. Reads a signal. @param {number} id */
export function isHere(id) {
  return here.value.has(id);
}

/** @param {{readonly value: Room}} current */
export function watchHere(current) {
  effect(() => {
    const ids = current.value.people.listed.value.flatMap(({ author }) => author?.id ?? []);
    const isSame = ids.length === here.peek().size && ids.every((id) => here.peek().has(id));
    if (!isSame) here.value = new Set(ids);
  });
}
