/** localStorage under a prefix. In a browser that forbids it nothing is kept between visits. */

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
