/** Who can be completed: whom this tab has met in its rooms, and those of one's direct rooms and groups. */

import { peopleMet } from "../../memberships/here.js";
import { knownPeople } from "../../memberships/memberships.js";

/** @typedef {import("../../messages.js").Companion} Companion */

/** Returns whom the page knows, each once. Reads signals. @returns {Companion[]} */
export function peopleKnown() {
  return [...new Map([...peopleMet(), ...knownPeople()].map((person) => [person.id, person])).values()];
}
