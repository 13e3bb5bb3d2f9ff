/** Cleans what is sent: no control characters, no half characters, nothing that nobody could see. */

import { boundMarks, findVisible, normalName } from "./characters.js";

// Unicode's control characters except newline and tab: the server refuses them.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Returns the text as it is sent: empty if nothing of it can be seen. @param {string} text */
export function clean(text) {
  const lines = text.replace(/\r\n?/g, "\n").replace(CONTROL, "");
  const shown = boundMarks(wellFormed(lines));
  const start = findVisible(shown);
  return start < 0 ? "" : shown.slice(shown.lastIndexOf("\n", start) + 1).trimEnd();
}

/** @param {string} name */
export function cleanName(name) {
  return normalName(clean(name));
}

/** Replaces each half of a surrogate pair, which UTF-8 cannot carry. @param {string} text */
function wellFormed(text) {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/** Counts code points, as the server does. @param {string} text */
export function countCharacters(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
