/**
 * Drafts: what was written in each room and not sent, and which message it answers. They survive a reload, and all tabs
 * of a browser agree on them.
 */

import { signal } from "@preact/signals";
import { follow, keysOf, load, save } from "./browser/storage.js";

const PREFIX = "draft:";
const REPLY_PREFIX = "reply:";

/** The slugs of the rooms that have a draft. */
export const drafted = signal(new Set(keysOf(PREFIX)));

/** How often a draft became another one than what is typed in this tab: who reads a draft follows it. */
const replacements = signal(0);

/** By slug. @type {Map<string, import("@preact/signals").Signal<number>>} */
const replyTargets = new Map();

/** Returns the draft of a room. Reads a signal, which moves where it is replaced. @param {string} slug @returns {string} */
export function draftOf(slug) {
  replacements.value;
  return load(PREFIX + slug);
}

/** Keeps what is typed. @param {string} slug @param {string} text */
export function keepDraft(slug, text) {
  save(PREFIX + slug, text);
  note(slug, text);
}

/** Puts another draft in the place of what was typed; the composer shows it. @param {string} slug @param {string} text */
export function replaceDraft(slug, text) {
  keepDraft(slug, text);
  replacements.value = replacements.peek() + 1;
}

/** Puts what was to be sent behind the draft of a room. @param {string} slug @param {string} text @param {number} [replyTo] */
export function addToDraft(slug, text, replyTo = 0) {
  const draft = draftOf(slug);
  replaceDraft(slug, draft ? `${draft}\n${text}` : text);
  if (replyTo && !replyTargetOf(slug).peek()) keepReplyTarget(slug, replyTo);
}

/** Returns the seq of the message that a room's draft answers; 0 for none. @param {string} slug */
export function replyTargetOf(slug) {
  const target = replyTargets.get(slug) ?? signal(parse(load(REPLY_PREFIX + slug)));
  replyTargets.set(slug, target);
  return target;
}

/** @param {string} slug @param {number} seq 0 for none */
export function keepReplyTarget(slug, seq) {
  replyTargetOf(slug).value = seq;
  save(REPLY_PREFIX + slug, seq ? String(seq) : "");
}

/** Takes over what is written in other tabs. */
export function followDrafts() {
  follow(PREFIX, (text, slug) => {
    note(slug, text);
    replacements.value += 1;
  });
  follow(REPLY_PREFIX, (seq, slug) => (replyTargetOf(slug).value = parse(seq)));
}

/** @param {string} seq */
function parse(seq) {
  return Number.parseInt(seq) || 0;
}

/** @param {string} slug @param {string} text */
function note(slug, text) {
  const has = text.trim() !== "";
  if (drafted.peek().has(slug) === has) return; // as with most letters
  const others = [...drafted.peek()].filter((other) => other !== slug);
  drafted.value = new Set(has ? [...others, slug] : others);
}
