/** Cleans text that is sent and parses text that is shown. Text never becomes HTML. */

/** @typedef {{kind: "text" | "link" | "code" | "block", text: string, href?: string}} Part */

// Unicode's control characters except newline and tab: the server refuses them.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
// A block has lines of its own, so the line breaks around it are not text.
const CODE = /\n?```(?:[\w+-]*\n)?([\s\S]+?)\n?```\n?|`([^`\n]+)`/g;
const LINK = /\bhttps?:\/\/[^\s<>"'`]+/gi;

/** @param {string} text */
export function clean(text) {
  const lines = text.replace(/\r\n?/g, "\n").replace(CONTROL, "");
  return wellFormed(lines)
    .replace(/^\s*\n/, "")
    .trimEnd();
}

/** @param {string} name */
export function cleanName(name) {
  return clean(name).replace(/\s+/g, " ").trim();
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
  const plain = name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase();
  return plain
    .trim()
    .replace(/[^a-z0-9_]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 64);
}

/** @param {string} message @returns {Part[]} */
export function parseText(message) {
  /** @type {Part[]} */
  const found = [];
  let from = 0;
  for (const match of message.matchAll(CODE)) {
    found.push(...parseLinks(message.slice(from, match.index)));
    found.push(match[1] ? { kind: "block", text: match[1] } : { kind: "code", text: match[2] ?? "" });
    from = match.index + match[0].length;
  }
  return found.concat(parseLinks(message.slice(from)));
}

/** @param {string} text @returns {Part[]} */
function parseLinks(text) {
  /** @type {Part[]} */
  const found = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const link = withoutPunctuation(match[0]);
    if (!URL.canParse(link)) continue;
    if (match.index > from) found.push({ kind: "text", text: text.slice(from, match.index) });
    found.push({ kind: "link", text: link, href: link });
    from = match.index + link.length;
  }
  if (from < text.length) found.push({ kind: "text", text: text.slice(from) });
  return found;
}

/**
 * Strips the sentence's punctuation from the end of a link. A closing bracket that the link itself opened stays.
 *
 * @param {string} link
 */
function withoutPunctuation(link) {
  for (;;) {
    const last = link.at(-1) ?? "";
    const isUnopened = (last === ")" && !isBalanced(link, "(", ")")) || (last === "]" && !isBalanced(link, "[", "]"));
    if (!isUnopened && !".,;:!?…*_~".includes(last)) return link;
    link = link.slice(0, -1);
  }
}

/** @param {string} text @param {string} open @param {string} close */
function isBalanced(text, open, close) {
  return text.split(open).length >= text.split(close).length;
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
