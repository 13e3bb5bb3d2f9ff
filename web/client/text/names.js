/** Names of people and rooms: letters and colour of a person's avatar, slug of a room. */

import { boundMarks } from "./characters.js";

/** Makes a slug of what the person typed as a room's name. @param {string} name */
export function slugify(name) {
  const plain = boundMarks(name) // a long run of them is sorted in quadratic time
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase();
  return plain
    .trim()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[-_]+/, "")
    .replace(/-$/, "")
    .slice(0, 64);
}

/** Returns one or two letters for a person's avatar. @param {string} name */
export function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? "?"];
  return letters
    .map((word) => [...(word ?? "")][0] ?? "")
    .join("")
    .toUpperCase();
}

/** Whether a name says already that it is a guest's: the server offers such a one for a name that is somebody's. @param {string} name */
export function namesGuest(name) {
  return name.endsWith("(guest)");
}

/** The number of colours for people in colours.css. */
export const TINTS = 12;

/** Returns the same colour for the same name on every screen. @param {string} name */
export function tint(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return hash % TINTS;
}
