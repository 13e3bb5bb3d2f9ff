/** Where the person was reading in each room. It survives a reload of the tab. */

import { owner } from "../browser/owner.js";
import { loadInTab, saveInTab } from "../browser/storage.js";
import { isPrivateSlug } from "../messages.js";

/** @typedef {import("../room/room.js").Place} Place */

const PREFIX = "place:";

/** @param {string} slug @returns {Place | null} null at the newest message */
export function placeOf(slug) {
  return loadInTab(PREFIX + slug);
}

/**
 * Keeps a place, but none in a private room for a guest: the person behind the page has an account.
 *
 * @param {string} slug
 * @param {Place | null} place
 */
export function keepPlace(slug, place) {
  if (owner || !isPrivateSlug(slug)) saveInTab(PREFIX + slug, place);
}
