/** Where the person was reading in each room. It survives a reload of the tab, in sessionStorage. */

/** @typedef {import("../room/room.js").Place} Place */

const PREFIX = "chatter:place:";

/** @param {string} slug @returns {Place | null} null at the newest message */
export function placeOf(slug) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + slug) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} slug @param {Place | null} place */
export function keepPlace(slug, place) {
  try {
    if (place) sessionStorage.setItem(PREFIX + slug, JSON.stringify(place));
    else sessionStorage.removeItem(PREFIX + slug);
  } catch {
    // Full or forbidden.
  }
}
