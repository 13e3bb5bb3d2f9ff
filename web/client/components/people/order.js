import { labelOf } from "../../authors.js";

/** @typedef {import("../../messages.js").Person} Person */
/** @typedef {import("../../messages.js").Posted} Posted */

/** How many messages count as lately. A busy room must not cost more the longer it is. */
const LATELY = 100;

/** Returns the labels of who wrote the last messages, the latest first. @param {Posted[]} messages */
export function lateSpeakers(messages) {
  return [...new Set(messages.slice(-LATELY).map(labelOf).reverse())];
}

/**
 * Puts oneself first, then who spoke lately, the latest first. The others stay as they are.
 *
 * @param {Person[]} people
 * @param {string} me this person's label
 * @param {string[]} speakers
 */
export function orderPeople(people, me, speakers) {
  const ranks = new Map([me, ...speakers.filter((name) => name !== me)].map((name, rank) => [name, rank]));
  const rankOf = (/** @type {Person} */ person) => ranks.get(labelOf(person)) ?? ranks.size;
  return people.toSorted((a, b) => rankOf(a) - rankOf(b));
}
