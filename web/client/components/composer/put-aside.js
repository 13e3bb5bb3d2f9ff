/** Words of edits that were left half-written: each waits until its message is edited again. */

import { keysOf, load, save } from "../../browser/storage.js";

const PREFIX = "aside:";

/** How many a room keeps. */
const MOST = 10;

/** @param {string} slug @param {string} id of the message @param {string} text */
export function putAside(slug, id, text) {
  store(slug, [...othersIn(slug, id), [id, text]]);
}

/** Returns what was put aside for a message, which is then no longer kept. @param {string} slug @param {string} id */
export function takeAside(slug, id) {
  const found = keptIn(slug).find(([other]) => other === id);
  if (found) store(slug, othersIn(slug, id));
  return found?.[1];
}

/** Whether words wait in some room. */
export function hasPutAside() {
  return keysOf(PREFIX).length > 0;
}

/** @param {string} slug @param {string} id */
function othersIn(slug, id) {
  return keptIn(slug).filter(([other]) => other !== id);
}

/** @param {string} slug @returns {[string, string][]} by message, the latest last */
function keptIn(slug) {
  return JSON.parse(load(PREFIX + slug) || "[]");
}

/** @param {string} slug @param {[string, string][]} kept */
function store(slug, kept) {
  save(PREFIX + slug, kept.length ? JSON.stringify(kept.slice(-MOST)) : "");
}
