import { SLUG } from "../../messages.js";
import { slugify } from "../../text/names.js";

/** @typedef {import("../../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("../../messages.js").Person} Person */
/** @typedef {{kind: "room" | "person" | "create", name: string}} Entry */

const MOST_ROOMS = 30;
const MOST_PEOPLE = 10;

/**
 * Returns what a query finds: rooms, then people, then the room that it would create.
 *
 * @param {string} query
 * @param {RoomSummary[]} rooms
 * @param {Person[]} people
 * @returns {Entry[]}
 */
export function findEntries(query, rooms, people) {
  const slug = slugify(query);
  const isNew = SLUG.test(slug) && !rooms.some(({ name }) => name === slug);
  return [
    ...find("room", rooms, query.trim() ? slug || query : "", MOST_ROOMS),
    ...find("person", people, query.trim(), MOST_PEOPLE),
    ...(isNew ? [/** @type {Entry} */ ({ kind: "create", name: slug })] : []),
  ];
}

/**
 * Returns the first `most` whose names have the query in them, those that begin with it first.
 *
 * @param {Entry["kind"]} kind
 * @param {{name: string}[]} list
 * @param {string} query
 * @param {number} most
 * @returns {Entry[]}
 */
function find(kind, list, query, most) {
  const wanted = query.toLowerCase();
  const found = list.filter(({ name }) => name.toLowerCase().includes(wanted));
  const rank = ({ name = "" }) => (name.toLowerCase().startsWith(wanted) ? 0 : 1);
  return found
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, most)
    .map(({ name }) => ({ kind, name }));
}
