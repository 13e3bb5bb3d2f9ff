import { prefixOf } from "./owner.js";

/** What is written and not said: it is the guest's no more. The rests of the keys are rooms. */
const MOVED = ["draft:", "reply:", "thread-draft:"];
/** What has been seen and chosen. */
const COPIED = ["seen", "rooms", "list", "panel", "reactions"];
const PLACES = "place:";

/**
 * Gives an account what this browser keeps for the guest who signs in, except where it has something of its own.
 *
 * Posts that were not sent stay the guest's: they were written under the guest's name.
 *
 * @param {number} id the account's
 */
export function takeAlong(id) {
  try {
    const [from, to] = [prefixOf(undefined), prefixOf(id)];
    copy(localStorage, from, to, (key) => COPIED.includes(key));
    copy(sessionStorage, from, to, (key) => key.startsWith(PLACES));
    const isMoved = (/** @type {string} */ key) => MOVED.some((start) => key.startsWith(start));
    for (const key of copy(localStorage, from, to, isMoved)) localStorage.removeItem(from + key);
  } catch {
    // Forbidden or full: it stays where it is.
  }
}

/**
 * Copies the keys that the account has not, and returns them.
 *
 * @param {Storage} storage
 * @param {string} from
 * @param {string} to
 * @param {(key: string) => boolean} isWanted
 */
function copy(storage, from, to, isWanted) {
  const keys = Object.keys(storage).flatMap((key) => (key.startsWith(from) ? [key.slice(from.length)] : []));
  const copied = keys.filter((key) => isWanted(key) && storage.getItem(to + key) === null);
  for (const key of copied) storage.setItem(to + key, storage.getItem(from + key) ?? "");
  return copied;
}
