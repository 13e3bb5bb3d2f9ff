/** Rooms in which this person is no more, and what they wrote there and had not sent. */

import { signal } from "@preact/signals";
import { keysOf, load, save } from "../browser/storage.js";

/** @typedef {{title: string, text: string}} Left what a room was called, and what was written there and not sent */

const LEFT = "left:";

/** By slug. Replaced, never changed. */
export const removed = signal(new Map(keysOf(LEFT).map((slug) => [slug, leftIn(slug)])));

/** Whether the person was removed from a room. Reads a signal. @param {string} slug */
export function isRemoved(slug) {
  return removed.value.has(slug);
}

/** Returns what is kept of a room, also by another tab. @param {string} slug @returns {Left} */
export function leftIn(slug) {
  try {
    return { title: "", text: "", ...JSON.parse(load(LEFT + slug)) };
  } catch {
    return { title: "", text: "" };
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
