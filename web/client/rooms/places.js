/** Where the person was reading in each room. It survives a reload of the tab. */

import { loadInTab, saveInTab } from "../browser/storage.js";

/** @typedef {import("../room/room.js").Place} Place */

const PREFIX = "place:";

/** @param {string} slug @returns {Place | null} null at the newest message */
export function placeOf(slug) {
  return loadInTab(PREFIX + slug);
}

/** @param {string} slug @param {Place | null} place */
export function keepPlace(slug, place) {
  saveInTab(PREFIX + slug, place);
}
