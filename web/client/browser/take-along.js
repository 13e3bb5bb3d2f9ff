import { prefixOf } from "./owner.js";
import { ofTab, shared } from "./web-storage.js";

/** What is written and not said: it is the guest's no more. The rests of the keys are rooms. */
const MOVED = ["draft:", "reply:", "thread-draft:"];
/** What has been seen and chosen. */
const COPIED = ["seen", "rooms", "list", "panel", "reactions"];
const PLACES = "place:";
const NAME = "name";

/**
 * Gives an account what this browser keeps for the guest who signs in, except where it has something of its own.
 *
 * A guest's name that is the account's goes: as a guest nobody may have it any more.
 *
 * @param {import("./owner.js").Account} account
 */
export function takeAlong({ id, name }) {
  const [from, to] = [prefixOf(undefined), prefixOf(id)];
  copy(shared, from, to, (key) => COPIED.includes(key));
  copy(ofTab, from, to, (key) => key.startsWith(PLACES));
  const isMoved = (/** @type {string} */ key) => MOVED.some((start) => key.startsWith(start));
  for (const key of copy(shared, from, to, isMoved)) shared.write(from + key, "");
  if (shared.read(from + NAME).toLowerCase() === name.toLowerCase()) shared.write(from + NAME, "");
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
