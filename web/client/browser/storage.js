/**
 * localStorage, and sessionStorage for what belongs to one tab and survives its reload, under the prefix of the person.
 * In a browser that forbids them nothing is kept between visits.
 */

import { mayKeep, PREFIX } from "./owner.js";

/** @param {string} key @returns {string} */
export function load(key) {
  try {
    return localStorage.getItem(PREFIX + key) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a value; an empty one is removed. @param {string} key @param {string} value */
export function save(key, value) {
  try {
    if (!mayKeep()) return;
    if (value) localStorage.setItem(PREFIX + key, value);
    else localStorage.removeItem(PREFIX + key);
  } catch {
    // Full or forbidden.
  }
}

/** Loads what this tab has kept. @param {string} key @returns {any} null for nothing */
export function loadInTab(key) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + key) ?? "null");
  } catch {
    return null;
  }
}

/** Keeps a value in this tab; null is removed. @param {string} key @param {object | null} value */
export function saveInTab(key, value) {
  try {
    if (!mayKeep()) return;
    if (value) sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
    else sessionStorage.removeItem(PREFIX + key);
  } catch {
    // Full or forbidden.
  }
}

/** Returns the rests of the keys that begin with `prefix`. @param {string} prefix @returns {string[]} */
export function keysOf(prefix) {
  const start = PREFIX + prefix;
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(start));
    return keys.map((key) => key.slice(start.length));
  } catch {
    return [];
  }
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
    if (key?.startsWith(start)) act(newValue ?? "", key.slice(start.length));
  });
}
