/**
 * localStorage, and sessionStorage for what belongs to one tab and survives its reload, under a prefix. In a browser
 * that forbids them nothing is kept between visits.
 */

/** @param {string} key @returns {string} */
export function load(key) {
  try {
    return localStorage.getItem(`chatter:${key}`) ?? "";
  } catch {
    return "";
  }
}

/** Keeps a value; an empty one is removed. @param {string} key @param {string} value */
export function save(key, value) {
  try {
    if (value) localStorage.setItem(`chatter:${key}`, value);
    else localStorage.removeItem(`chatter:${key}`);
  } catch {
    // Full or forbidden.
  }
}

/** Loads what this tab has kept. @param {string} key @returns {any} null for nothing */
export function loadInTab(key) {
  try {
    return JSON.parse(sessionStorage.getItem(`chatter:${key}`) ?? "null");
  } catch {
    return null;
  }
}

/** Keeps a value in this tab; null is removed. @param {string} key @param {object | null} value */
export function saveInTab(key, value) {
  try {
    if (value) sessionStorage.setItem(`chatter:${key}`, JSON.stringify(value));
    else sessionStorage.removeItem(`chatter:${key}`);
  } catch {
    // Full or forbidden.
  }
}

/** Returns the rests of the keys that begin with `prefix`. @param {string} prefix @returns {string[]} */
export function keysOf(prefix) {
  const start = `chatter:${prefix}`;
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
  const start = `chatter:${prefix}`;
  addEventListener("storage", ({ key, newValue }) => {
    if (key?.startsWith(start)) act(newValue ?? "", key.slice(start.length));
  });
}
