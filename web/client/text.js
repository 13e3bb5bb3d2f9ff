/** What the page's other parts use of text: cleaning, and the names of people and rooms. `text/` draws messages. */

export { newId } from "./browser/id.js";
export { clean, cleanName, countCharacters } from "./text/cleaning.js";
export { initials, slugify, tint, TINTS } from "./text/names.js";
