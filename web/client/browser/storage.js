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
