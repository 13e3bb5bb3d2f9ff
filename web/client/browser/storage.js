/** What this browser remembers between visits. A browser that forbids it gets a chat that forgets. */

/** @param {string} key @returns {string} */
export function load(key) {
  try {
    return localStorage.getItem(`chatter:${key}`) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} key @param {string} value */
export function save(key, value) {
  try {
    localStorage.setItem(`chatter:${key}`, value);
  } catch {
    // Full or forbidden.
  }
}
