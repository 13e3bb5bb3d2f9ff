/** localStorage under a prefix. In a browser that forbids it nothing is kept between visits. */

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

/** Calls `act` when another tab saves `key`. @param {string} key @param {(value: string) => void} act */
export function follow(key, act) {
  addEventListener("storage", (event) => event.key === `chatter:${key}` && act(event.newValue ?? ""));
}
