import { signal } from "@preact/signals";
import { load, save } from "../browser/storage.js";

/**
 * @typedef {object} Choices what the person decided about rooms, as lists of slugs; localStorage keeps it so
 * @property {string[]} pinned above the others
 * @property {string[]} muted without a mark for new messages
 * @property {string[]} closed not in the sidebar
 */

/** @type {Choices} */
const NONE = { pinned: [], muted: [], closed: [] };

export const choices = signal(parse(load("rooms")));

/** Takes over what another tab has saved. @param {string} json */
export function adoptChoices(json) {
  choices.value = parse(json);
}

/**
 * Adds a room to one of the lists or takes it out. What other tabs have saved meanwhile is kept.
 *
 * @param {keyof Choices} list
 * @param {string} slug
 * @param {boolean} isIn
 */
export function choose(list, slug, isIn) {
  const now = parse(load("rooms") || JSON.stringify(choices.peek())); // the latter where nothing can be stored
  if (now[list].includes(slug) === isIn) return;
  const others = now[list].filter((other) => other !== slug);
  choices.value = { ...now, [list]: isIn ? [...others, slug] : others };
  save("rooms", JSON.stringify(choices.peek()));
}

/** @param {string} json @returns {Choices} */
function parse(json) {
  try {
    return { ...NONE, ...JSON.parse(json) };
  } catch {
    return NONE;
  }
}
