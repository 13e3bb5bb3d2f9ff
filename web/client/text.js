/** Cleans text that is sent and parses text that is shown. Text never becomes HTML. */

import { boundMarks, findVisible, normalName } from "./characters.js";
import { parseLinks } from "./links.js";

/** @typedef {{kind: "text" | "link" | "code" | "block", text: string, href?: string}} Part */

// Unicode's control characters except newline and tab: the server refuses them.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
const SPAN = /[^`\n]+/y;
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

/** @param {string} message @returns {Part[]} */
export function parseText(message) {
  /** @type {Part[]} */
  const parts = [];
  let from = 0;
  for (const { start, end, part } of findCode(message)) {
    parts.push(...parseLinks(message.slice(from, start)), part);
    from = end;
  }
  return parts.concat(parseLinks(message.slice(from)));
}

/**
 * Finds code between single backticks, which has no line break, and between triple ones. A backtick that nothing closes
 * is text.
 *
 * @param {string} message
 */
function* findCode(message) {
  let end = 0;
  let hasFence = true; // one that is not closed is not looked for again: that would take quadratic time
  for (let at = message.indexOf("`"); at !== -1; at = message.indexOf("`", Math.max(end, at + 1))) {
    const close = hasFence && message.startsWith("```", at) ? message.indexOf("```", at + 4) : 0;
    if (close === -1) hasFence = false;
    if (close > 0) {
      // A block has lines of its own, so the line breaks around it are not text.
      const start = at > end && message[at - 1] === "\n" ? at - 1 : at;
      end = close + (message[close + 3] === "\n" ? 4 : 3);
      yield { start, end, part: /** @type {Part} */ ({ kind: "block", text: blockOf(message.slice(at + 3, close)) }) };
    } else {
      SPAN.lastIndex = at + 1;
      const span = SPAN.exec(message)?.[0] ?? "";
      const isClosed = span && message[SPAN.lastIndex] === "`";
      end = at + 1 + span.length + (isClosed ? 1 : 0);
      if (isClosed) yield { start: at, end, part: /** @type {Part} */ ({ kind: "code", text: span }) };
    }
  }
}

/** Drops the line that names a language, and the last line break. @param {string} code */
function blockOf(code) {
  const line = code.indexOf("\n");
  const isNamed = line !== -1 && line < code.length - 1 && !/[^\w+-]/.test(code.slice(0, line));
  const lines = isNamed ? code.slice(line + 1) : code;
  return lines.length > 1 && lines.endsWith("\n") ? lines.slice(0, -1) : lines;
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

/** The number of colours for people in style.css. */
export const TINTS = 12;

/** Returns the same colour for the same name on every screen. @param {string} name */
export function tint(name) {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return hash % TINTS;
}

/**
 * Returns a random id. `randomUUID` exists only in secure contexts, and plain http on a LAN address is not one.
 *
 * @returns {string}
 */
export function newId() {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  const bytes = /** @type {Crypto} */ (crypto).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
