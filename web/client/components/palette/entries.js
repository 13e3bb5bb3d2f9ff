import { labelOf } from "../../authors.js";
import { isPrivateSlug, SLUG } from "../../messages.js";
import { slugify } from "../../text/names.js";

/** @typedef {import("../../authors.js").By} By */

/** @typedef {{name: string, title?: string}} NamedRoom a slug, and what the room is called if not by that */
/** @typedef {{kind: "room" | "create" | "handle", name: string}} PlainEntry of a handle the name is without the @ */
/** @typedef {{kind: "person", name: string, person: By}} PersonEntry */
/** @typedef {PlainEntry | PersonEntry} Entry */

const MOST_ROOMS = 30;
const MOST_PEOPLE = 10;
const HANDLE = /^@?[a-z0-9._-]+$/;

/**
 * Returns what a query finds: rooms, then people, then the handle that it may be, then the room that it would create. A
 * word that finds nothing may be the handle of somebody whom the page does not know, which is then the last.
 *
 * @param {string} query
 * @param {NamedRoom[]} rooms
 * @param {By[]} people
 * @param {boolean} [hasHandles] the person may write to a handle
 * @returns {Entry[]}
 */
export function findEntries(query, rooms, people, hasHandles = false) {
  const typed = query.trim().toLowerCase();
  const slug = slugify(query);
  const handle = hasHandles && HANDLE.test(typed) ? typed.replace("@", "") : "";
  const isNew = !typed.startsWith("@") && SLUG.test(slug) && !rooms.some(({ name }) => name === slug);
  const namesOfRoom = (/** @type {NamedRoom} */ { name, title }) => [
    ...(title === undefined ? [] : [[title, typed]]),
    ...(isPrivateSlug(name) ? [] : [[name, typed && (slug || typed)]]),
  ];
  const namesOfPerson = (/** @type {By} */ person) => [
    [person.name, typed],
    ...(person.author ? [[labelOf(person), typed]] : []),
  ];
  /** @type {Entry[]} */
  const found = [
    ...find(rooms, namesOfRoom, MOST_ROOMS).map(({ name }) => /** @type {Entry} */ ({ kind: "room", name })),
    ...find(people, namesOfPerson, MOST_PEOPLE).map(
      (person) => /** @type {Entry} */ ({ kind: "person", name: person.name, person }),
    ),
  ];
  const isMeant = typed.startsWith("@") ? !people.some((person) => labelOf(person) === typed) : !found.length;
  if (isNew) found.push({ kind: "create", name: slug });
  if (handle && isMeant) found.push({ kind: "handle", name: handle });
  return found;
}

/**
 * Returns the first `most` that have what is wanted in one of their names, those that begin with it first.
 *
 * @template T
 * @param {T[]} list
 * @param {(each: T) => string[][]} namesOf returns pairs: a name, and what is wanted of it
 * @param {number} most
 * @returns {T[]}
 */
function find(list, namesOf, most) {
  const rankOf = (/** @type {T} */ each) =>
    Math.min(...namesOf(each).map(([name = "", wanted = ""]) => rank(name.toLowerCase(), wanted.toLowerCase())));
  const ranked = list.map((each) => ({ each, rank: rankOf(each) })).filter(({ rank }) => Number.isFinite(rank));
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ each }) => each);
}

/** @param {string} name @param {string} wanted */
function rank(name, wanted) {
  if (name.startsWith(wanted)) return 0;
  return name.includes(wanted) ? 1 : Infinity;
}
