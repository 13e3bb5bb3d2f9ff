/** Drafts: what was written in each room and not sent. They survive a reload, and all tabs of a browser agree on them. */

import { signal } from "@preact/signals";
import { follow, keysOf, load, save } from "./browser/storage.js";

const PREFIX = "draft:";

/** By slug. In a browser that forbids storage it is all there is. @type {Map<string, string>} */
const drafts = new Map();

/** The slugs of the rooms that have a draft. */
export const drafted = signal(new Set(keysOf(PREFIX)));

/** @param {string} slug @returns {string} */
export function draftOf(slug) {
  return drafts.get(slug) ?? load(PREFIX + slug);
}

/** @param {string} slug @param {string} text */
export function keepDraft(slug, text) {
  drafts.set(slug, text);
  save(PREFIX + slug, text);
  note(slug, text);
}

/** Calls `act` with the slug of each draft that another tab changes. @param {(slug: string) => void} act */
export function followDrafts(act) {
  follow(PREFIX, (text, slug) => {
    drafts.set(slug, text);
    note(slug, text);
    act(slug);
  });
}

/** @param {string} slug @param {string} text */
function note(slug, text) {
  const has = text.trim() !== "";
  if (drafted.peek().has(slug) === has) return; // as with most letters
  const others = [...drafted.peek()].filter((other) => other !== slug);
  drafted.value = new Set(has ? [...others, slug] : others);
}
