/** Where `[text](address)` leads, and what the reader must be told of it. */

import { hasVisible, UNSEEN } from "./characters.js";

/** @typedef {import("./markdown.js").Inline} Inline */

/** What an address is made of, beside round brackets. Square ones end it: no two labels look at the same characters. */
const PIECE = /[^\s()[\]<>`]+/y;
const SCHEME = /^(?:https?:\/\/|mailto:)./i;
const NOT_OF_HOST = /[^\p{L}\p{N}\p{M}.．。｡@-]/u;
const DOTS = /[．。｡]/g;
const HOST_LIKE = /[\p{L}\p{N}](?:\.\p{L}{2}|@[\p{L}\p{N}])|\d\.\d{1,3}\.\d{1,3}\.\d/u;
const WWW = /^www\./i;

/**
 * Reads the address in brackets at a place.
 *
 * @param {string} text
 * @param {number} at after the bracket
 * @returns {{href: string, end: number} | null} null if it is none that a link may have
 */
export function targetAt(text, at) {
  const end = endOfAddress(text, at);
  if (text[end] !== ")") return null;
  const address = text.slice(at, end);
  const href = WWW.test(address) ? `https://${address}` : address;
  const isLink = SCHEME.test(href) && !UNSEEN.test(href) && URL.canParse(href);
  return isLink ? { href, end: end + 1 } : null;
}

/** Returns where an address ends, with the brackets that it opens itself. @param {string} text @param {number} at */
function endOfAddress(text, at) {
  for (let depth = 0; ; at += 1) {
    PIECE.lastIndex = at;
    if (PIECE.test(text)) at = PIECE.lastIndex;
    if (text[at] === "(") depth += 1;
    else if (text[at] === ")" && depth > 0) depth -= 1;
    else return at;
  }
}

/**
 * Returns the host or mailbox to which an address leads, if the text of the link looks like another; otherwise nothing.
 *
 * @param {string} label
 * @param {string} href
 */
export function otherHost(label, href) {
  const { hostname, protocol, pathname } = new URL(href);
  const real = protocol === "mailto:" ? pathname : hostname;
  const looks = label
    .replace(DOTS, ".")
    .split(NOT_OF_HOST)
    .filter((word) => HOST_LIKE.test(word));
  return looks.every((look) => bare(look) === bare(real)) ? "" : real;
}

/** Returns the host of an address that has a name before it: `https://bank.example@other.example`. @param {string} href */
export function hostAfterName(href) {
  const { hostname, username, protocol } = new URL(href);
  return protocol !== "mailto:" && username ? hostname : "";
}

/** @param {string} host */
function bare(host) {
  const labels = host.toLowerCase().split(".").filter(Boolean);
  return asciiOf(labels[0] === "www" ? labels.slice(1).join(".") : labels.join("."));
}

/** Returns a host as it stands in addresses. @param {string} host */
function asciiOf(host) {
  const address = `https://${host}`;
  return !host.includes("@") && URL.canParse(address) ? new URL(address).hostname : host;
}

/** Returns the text of nodes. @param {Inline[]} nodes @returns {string} */
export function textOf(nodes) {
  return nodes.map((node) => (typeof node === "string" ? node : textOfElement(node))).join("");
}

/** @param {Exclude<Inline, string>} element */
function textOfElement(element) {
  if (element.kind === "code" || element.kind === "mention") return element.text;
  return element.kind === "emoji" ? `:${element.name}:` : textOf(element.children);
}

/** Replaces links by what stands in them: no link is in another. @param {Inline[]} nodes @returns {Inline[]} */
export function withoutLinks(nodes) {
  return nodes.flatMap((node) => {
    if (typeof node === "string" || !("children" in node)) return [node];
    const children = withoutLinks(node.children);
    return node.kind === "link" ? children : [{ ...node, children }];
  });
}

/** Whether somebody can see a label. @param {Inline[]} label */
export function isSeen(label) {
  return hasVisible(textOf(label));
}
