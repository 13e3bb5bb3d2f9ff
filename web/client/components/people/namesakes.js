import { computed } from "@preact/signals";
import { labelOf } from "../../authors.js";

/** @typedef {import("../../authors.js").By} By */
/** @typedef {import("../../room/room.js").Room} Room */

/** How many messages are looked at. A busy room must not cost more the longer it is. */
const LATELY = 100;

/** Letters of other scripts that look like Latin ones. The server knows thousands; these are in names of people. */
const LATIN = new Map([..."аасеіјорѕухԁһοανρτυ"].map((letter, at) => [letter, [..."aaceijopsyxdhoavptu"][at] ?? ""]));

/** By room, the looks that several people share, one a line. @type {WeakMap<Room, {readonly value: string}>} */
const shared = new WeakMap();

/** Whether two people of a room have names that look like this one. Reads signals. @param {Room} room @param {string} name */
export function hasNamesake(room, name) {
  const known =
    shared.get(room) ?? computed(() => sharedLooks([...room.people.listed.value, ...lately(room)]).join("\n"));
  shared.set(room, known);
  return known.value !== "" && known.value.split("\n").includes(lookOf(name));
}

/** Returns the looks that several of these people share. @param {By[]} people */
export function sharedLooks(people) {
  /** @type {Map<string, string>} */
  const seen = new Map();
  /** @type {Set<string>} */
  const several = new Set();
  for (const person of people) {
    const [look, label] = [lookOf(person.name), labelOf(person)];
    if ((seen.get(look) ?? label) !== label) several.add(look);
    seen.set(look, label);
  }
  return [...several];
}

/** Returns what a name looks like: without case, marks, blanks and punctuation. @param {string} name */
function lookOf(name) {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
  return [...plain].map((letter) => LATIN.get(letter) ?? letter).join("") || name;
}

/** @param {Room} room @returns {By[]} */
function lately(room) {
  return room.history.messages.value.slice(-LATELY);
}
