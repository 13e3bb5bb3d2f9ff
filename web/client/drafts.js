/**
 * Drafts: what was written in each room and thread and not sent, and which message it answers. They survive a reload,
 * and all tabs of a browser agree on them.
 */

import { signal } from "@preact/signals";
import { follow, keysOf, load, save } from "./browser/storage.js";

const REPLY_PREFIX = "reply:";

/** By slug. @type {Map<string, import("@preact/signals").Signal<number>>} */
const replyTargets = new Map();

/** Drafts by key, each kept under a prefix and its key. */
class Drafts {
  /** How often a draft became another one than what is typed in this tab: who reads a draft follows it. */
  #replacements = signal(0);
  #prefix;

  /** @param {string} prefix */
  constructor(prefix) {
    this.#prefix = prefix;
    /** The keys that have a draft. */
    this.keys = signal(new Set(keysOf(prefix)));
  }

  /** Returns a draft. Reads a signal, which moves where it is replaced. @param {string} key @returns {string} */
  of(key) {
    this.#replacements.value;
    return load(this.#prefix + key);
  }

  /** Keeps what is typed. @param {string} key @param {string} text */
  keep(key, text) {
    save(this.#prefix + key, text);
    this.#note(key, text);
  }

  /** Puts another draft in the place of what was typed; the field shows it. @param {string} key @param {string} text */
  replace(key, text) {
    this.keep(key, text);
    this.#replacements.value = this.#replacements.peek() + 1;
  }

  /** Takes over what is written in other tabs. */
  follow() {
    follow(this.#prefix, (text, key) => {
      this.#note(key, text);
      this.#replacements.value += 1;
    });
  }

  /** @param {string} key @param {string} text */
  #note(key, text) {
    const keys = this.keys.peek();
    const has = text.trim() !== "";
    if (keys.has(key) === has) return; // as with most letters
    const others = [...keys].filter((other) => other !== key);
    this.keys.value = new Set(has ? [...others, key] : others);
  }
}

/** By slug. */
export const drafts = new Drafts("draft:");

/** By `threadKey`. */
export const threadDrafts = new Drafts("thread-draft:");

/** @param {string} slug @param {number} root the seq of the message that the thread is about */
export function threadKey(slug, root) {
  return `${slug}/${root}`;
}

/** Returns the keys of the drafts in the threads of a room. @param {string} slug */
export function threadKeysIn(slug) {
  return [...threadDrafts.keys.peek()].filter((key) => key.startsWith(`${slug}/`));
}

/** Puts what was to be sent behind the draft of a room. @param {string} slug @param {string} text @param {number} [replyTo] */
export function addToDraft(slug, text, replyTo = 0) {
  const draft = drafts.of(slug);
  drafts.replace(slug, draft ? `${draft}\n${text}` : text);
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
  drafts.follow();
  threadDrafts.follow();
  follow(REPLY_PREFIX, (seq, slug) => (replyTargetOf(slug).value = parse(seq)));
}

/** @param {string} seq */
function parse(seq) {
  return Number.parseInt(seq) || 0;
}
