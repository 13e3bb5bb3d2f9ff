/** Rooms in which this person is no more, and what they wrote there and had not sent. */

import { signal } from "@preact/signals";
import { keysOf, load, save } from "../browser/storage.js";

/**
 * @typedef {object} Left what is left of a room
 * @property {string} title
 * @property {string} text what was written there and not sent
 * @property {string} why `left`, `removed` or `banned`; empty where that was not heard
 * @property {string} reason in the words of who did it
 */

const LEFT = "left:";
/** @type {Left} */
const NOTHING = { title: "", text: "", why: "", reason: "" };

/** By slug. Replaced, never changed. */
export const removed = signal(new Map(keysOf(LEFT).map((slug) => [slug, leftIn(slug)])));

/** Whether the person was removed from a room. Reads a signal. @param {string} slug */
export function isRemoved(slug) {
  return removed.value.has(slug);
}

/** Returns what is kept of a room, also by another tab. @param {string} slug @returns {Left} */
export function leftIn(slug) {
  try {
    return { ...NOTHING, ...JSON.parse(load(LEFT + slug)) };
  } catch {
    return NOTHING;
  }
}

/** Keeps what is left of a room. @param {string} slug @param {Left} left */
export function keepLeft(slug, left) {
  removed.value = new Map(removed.peek()).set(slug, left);
  save(LEFT + slug, JSON.stringify(left));
}

/** Forgets what was kept of a room: the person has read it. @param {string} slug */
export function dismissRemoved(slug) {
  const others = new Map(removed.peek());
  others.delete(slug);
  removed.value = others;
  save(LEFT + slug, "");
}
