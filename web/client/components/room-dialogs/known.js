/** Who can be completed: those of one's direct rooms and groups, and who is in the room on the screen. */

import { knownPeople } from "../../memberships/memberships.js";

/** @typedef {import("../../messages.js").Companion} Companion */

/** @param {import("../../room/room.js").Room} [room] @returns {Companion[]} */
export function peopleKnown(room) {
  const present = room?.people.listed.peek() ?? [];
  const authors = room?.history.messages.peek().slice(-100) ?? [];
  const here = [...present, ...authors].flatMap(({ name, author }) => (author ? [{ ...author, name }] : []));
  return [...new Map([...here, ...knownPeople()].map((person) => [person.id, person])).values()];
}
