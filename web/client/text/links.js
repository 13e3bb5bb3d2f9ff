import { UNSEEN } from "./characters.js";

/** What may begin an address. `@` stands within one. */
const START = /https?:\/\/|www\.|@/gi;
/** Quotes and brackets that are not ASCII, and full stops of other scripts: the text around an address goes on there. */
const AROUND = `(?!${UNSEEN.source}|[\\p{Pi}\\p{Pf}\\p{Ps}\\p{Pe}、。，．！？；：｡､…،؛؟۔।॥։။።])[\\u{80}-\\u{10ffff}]`;
/** Markers of Markdown that no address has: the end of a spoiler, and the middle of `[text](address)`. */
const MARKER = "\\|\\||\\]\\(";
/** The name of a host, with what may stand before and after it. */
const HOST = new RegExp(`(?:(?!${MARKER})[!$-&(-.0-;=@A-\\[\\]_a-~]|${AROUND})+`, "uy");
/** The rest of an address. An apostrophe belongs to it between letters, as in `/Schrödinger's_cat`. */
const REST = new RegExp(`(?:(?!${MARKER})[!#-&(-;=?-\\[\\]^_a-~]|['’](?=[\\p{L}\\p{N}])|${AROUND})+`, "uy");
const DOMAIN = /[a-z0-9.-]{1,253}/iy;
const LETTER_OR_DIGIT = /[a-z0-9]/i;
const PART_OF_MAIL = /[a-z0-9.!#$%&*+^_{|}~-]/i;
/** The longest name of a mailbox, as RFC 5321 has it. */
const LONGEST_MAILBOX = 64;

/**
 * @typedef {object} Candidate
 * @property {number} start
 * @property {number} end
 * @property {string} href empty if it is no address
 * @property {number} next where to look on
 */

/**
 * Finds the addresses in a text. Each character is looked at a few times, however the text is made.
 *
 * @param {string} text
 * @returns {Generator<Candidate>}
 */
export function* findLinks(text) {
  let from = 0;
  START.lastIndex = 0;
  for (let match = START.exec(text); match; match = START.exec(text)) {
    const candidate = match[0] === "@" ? mailAt(text, match.index, from) : webAt(text, match);
    if (candidate.href) {
      from = candidate.end;
      yield candidate;
    }
    START.lastIndex = candidate.next; // set last: others may search while this waits
  }
}

/** @param {string} text @param {RegExpExecArray} match @returns {Candidate} */
function webAt(text, { 0: prefix, index: start }) {
  const before = text.charAt(start - 1);
  const afterPrefix = start + prefix.length;
  const isWithinWord = LETTER_OR_DIGIT.test(before) || (prefix.endsWith(".") && "./@-_".includes(before) && before);
  if (isWithinWord) return { start, end: start, href: "", next: afterPrefix };
  const hostEnd = skip(text, afterPrefix, HOST);
  const next = "/?#".includes(text.charAt(hostEnd) || " ") ? skip(text, hostEnd, REST) : hostEnd;
  const end = start + withoutPunctuation(text.slice(start, next), before === "_");
  return { start, end, href: webHref(text.slice(start, end), prefix), next };
}

/** @param {string} link @param {string} prefix */
function webHref(link, prefix) {
  if (!prefix.endsWith(".")) return URL.canParse(link) ? link : "";
  const href = `https://${link}`;
  if (!URL.canParse(href)) return "";
  const labels = new URL(href).hostname.split(".");
  return labels.length > 2 && labels.every(Boolean) ? href : "";
}

/**
 * Finds the mail address around an `@`. It begins at `from` or later.
 *
 * @param {string} text
 * @param {number} at
 * @param {number} from
 * @returns {Candidate}
 */
function mailAt(text, at, from) {
  let start = at;
  const least = Math.max(from, at - LONGEST_MAILBOX);
  while (start > least && PART_OF_MAIL.test(text.charAt(start - 1))) start -= 1;
  while (start < at && !LETTER_OR_DIGIT.test(text.charAt(start))) start += 1;
  const next = Math.max(at + 1, skip(text, at + 1, DOMAIN));
  const end = at + 1 + withoutPunctuation(text.slice(at + 1, next), false);
  const isPart = PART_OF_MAIL.test(text.charAt(start - 1)) || "@/".includes(text.charAt(start - 1) || " ");
  const isMail = start < at && !isPart && isDomain(text.slice(at + 1, end));
  return { start, end, href: isMail ? `mailto:${text.slice(start, end)}` : "", next };
}

/** @param {string} domain */
function isDomain(domain) {
  const labels = domain.split(".");
  return (
    labels.length > 1 && !labels.some((label) => /^-|-$|^$/.test(label)) && !/[^a-z]|^.$/i.test(labels.at(-1) ?? "")
  );
}

/** Returns where a run of characters ends. @param {string} text @param {number} at @param {RegExp} run */
function skip(text, at, run) {
  run.lastIndex = at;
  return run.test(text) ? run.lastIndex : at;
}

/**
 * Returns the length of a link without the punctuation of the sentence around it. A closing bracket that the link
 * itself opened stays, and so does `_` unless one stands before the link too.
 *
 * @param {string} link
 * @param {boolean} isEmphasised
 */
function withoutPunctuation(link, isEmphasised) {
  const punctuation = isEmphasised ? ".,;:!?*~_-" : ".,;:!?*~";
  const unopened = { ")": count(link, ")") - count(link, "("), "]": count(link, "]") - count(link, "[") };
  let length = link.length;
  for (; length > 0; length -= 1) {
    const last = link.charAt(length - 1);
    if ((last === ")" || last === "]") && unopened[last] > 0) unopened[last] -= 1;
    else if (!punctuation.includes(last)) break;
  }
  return length;
}

/** @param {string} text @param {string} letter */
function count(text, letter) {
  return text.split(letter).length - 1;
}
