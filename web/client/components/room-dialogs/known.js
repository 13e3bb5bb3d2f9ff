/** Who can be completed: those of one's direct rooms and groups, and who is in the room on the screen. */

import { peopleHere } from "../../memberships/here.js";
import { knownPeople } from "../../memberships/memberships.js";

/** @typedef {import("../../messages.js").Companion} Companion */

/** @param {import("../../room/room.js").Room} [room] whose authors are known, too @returns {Companion[]} */
export function peopleKnown(room) {
  const messages = room?.history.messages.peek().slice(-100) ?? [];
  const authors = messages.flatMap(({ name, author }) => (author ? [{ ...author, name }] : []));
  return [...new Map([...peopleHere(), ...authors, ...knownPeople()].map((person) => [person.id, person])).values()];
}
