/** What the browser keeps for this person, under their prefix: for all tabs, or for this one. */

import { mayKeep, PREFIX } from "./owner.js";
import { ofTab, shared } from "./web-storage.js";

/** @param {string} key @returns {string} */
export function load(key) {
  return shared.read(PREFIX + key);
}

/** Keeps a value; an empty one is removed. @param {string} key @param {string} value */
export function save(key, value) {
  if (mayKeep()) shared.write(PREFIX + key, value);
  else shared.hold(PREFIX + key, value);
}

/** Loads what this tab has kept. @param {string} key @returns {any} null for nothing */
export function loadInTab(key) {
  return ofTab.readJson(PREFIX + key);
}

/** Keeps a value in this tab; null is removed. @param {string} key @param {object | null} value */
export function saveInTab(key, value) {
  if (mayKeep()) ofTab.writeJson(PREFIX + key, value);
}

/** Returns the rests of the keys that begin with `prefix`. @param {string} prefix @returns {string[]} */
export function keysOf(prefix) {
  const start = PREFIX + prefix;
  return shared.keysFrom(start).map((key) => key.slice(start.length));
}

/**
 * Calls `act` when another tab saves a key that begins with `prefix`, with the rest of that key.
 *
 * @param {string} prefix
 * @param {(value: string, rest: string) => void} act
 */
export function follow(prefix, act) {
  const start = PREFIX + prefix;
  addEventListener("storage", ({ key, newValue }) => {
    if (!key?.startsWith(start)) return;
    shared.release(key);
    act(newValue ?? "", key.slice(start.length));
  });
}
