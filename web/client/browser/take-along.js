import { prefixOf } from "./owner.js";
import { ofTab, shared } from "./web-storage.js";

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
  const [from, to] = [prefixOf(undefined), prefixOf(id)];
  copy(shared, from, to, (key) => COPIED.includes(key));
  copy(ofTab, from, to, (key) => key.startsWith(PLACES));
  const isMoved = (/** @type {string} */ key) => MOVED.some((start) => key.startsWith(start));
  for (const key of copy(shared, from, to, isMoved)) shared.write(from + key, "");
}

/**
 * Copies the keys that the account has not, and returns those that the browser has taken: it may be full.
 *
 * @param {import("./web-storage.js").Kept} kept
 * @param {string} from
 * @param {string} to
 * @param {(key: string) => boolean} isWanted
 */
function copy(kept, from, to, isWanted) {
  const keys = kept.keysFrom(from).map((key) => key.slice(from.length));
  const missing = keys.filter((key) => isWanted(key) && !kept.read(to + key));
  return missing.filter((key) => kept.write(to + key, kept.read(from + key)));
}
