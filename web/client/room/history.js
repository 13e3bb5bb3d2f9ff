import { signal } from "@preact/signals";

/** @typedef {import("../messages.js").Posted} Posted */

/** Above this many messages the oldest half is let go while nobody looks at it. */
export const MAX_HELD = 10_000;

/**
 * What the page holds of a room: one unbroken run of places by `seq`, and what came ahead of it. A void place counts
 * for the run, and is not among what was said. It knows no network.
 */
export class History {
  /** The messages of the run, oldest first. Replaced, never changed. */
  messages = signal(/** @type {Posted[]} */ ([]));
  /** There are older ones on the server. */
  hasMore = signal(false);
  /** The lowest and the highest `seq` of the run; 0 while nothing is held. */
  first = 0;
  last = 0;
  /** @type {Map<number, Posted>} */
  #ahead = new Map();

  /** Something came ahead: what lies between is missing. */
  get hasGap() {
    return this.#ahead.size > 0;
  }

  /** What was said after `seq`; who reads it follows it. @param {number} seq */
  after(seq) {
    const held = this.messages.value;
    return held.slice(held.findLastIndex((message) => message.seq <= seq) + 1);
  }

  /** @param {string} id */
  has(id) {
    return this.messages.peek().some((message) => message.id === id);
  }

  /** What is known already is not heard twice. @param {Posted} message */
  add(message) {
    if (!this.last) this.#begin(message);
    else if (message.seq > this.last + 1) this.#ahead.set(message.seq, message);
    else if (message.seq === this.last + 1) this.#append(message);
  }

  /** A page of older messages, oldest first. @param {Posted[]} older @param {boolean} hasMore */
  prepend(older, hasMore) {
    const missing = older.filter((message) => message.seq < this.first);
    this.first = missing[0]?.seq ?? this.first;
    this.messages.value = missing.filter(isShown).concat(this.messages.peek());
    this.hasMore.value = hasMore;
  }

  /** What stands at `seq` was never saved. @param {number} seq */
  markVoid(seq) {
    const ahead = this.#ahead.get(seq);
    if (ahead) this.#ahead.set(seq, { ...ahead, void: true });
    if (seq >= this.first && seq <= this.last)
      this.messages.value = this.messages.peek().filter((message) => message.seq !== seq);
  }

  /** Forget everything above `seq`. @param {number} seq */
  dropAbove(seq) {
    this.dropAhead();
    if (seq >= this.last) return;
    if (seq < this.first) this.clear();
    else {
      this.last = seq;
      this.messages.value = this.messages.peek().filter((message) => message.seq <= seq);
    }
  }

  dropAhead() {
    this.#ahead.clear();
  }

  clear() {
    this.dropAhead();
    this.first = 0;
    this.last = 0;
    this.messages.value = [];
    this.hasMore.value = false;
  }

  /** Give the run up and go on with what is ahead of it. */
  skipGap() {
    const ahead = [...this.#ahead.values()].sort((a, b) => a.seq - b.seq);
    this.clear();
    ahead.forEach((message) => this.add(message));
  }

  /** Let the oldest half go if too many are held. */
  trim() {
    const held = this.messages.peek();
    if (held.length <= MAX_HELD) return;
    this.messages.value = held.slice(-MAX_HELD / 2);
    this.first = /** @type {Posted} */ (this.messages.peek()[0]).seq;
    this.hasMore.value = true;
  }

  /** @param {Posted} message */
  #begin(message) {
    this.first = message.seq;
    this.last = message.seq;
    this.messages.value = [message].filter(isShown);
    this.hasMore.value = message.seq > 1;
  }

  /** @param {Posted} message */
  #append(message) {
    const run = [message];
    for (let next = this.#ahead.get(message.seq + 1); next; next = this.#ahead.get(next.seq + 1)) {
      run.push(next);
      this.#ahead.delete(next.seq);
    }
    this.last = message.seq + run.length - 1;
    this.messages.value = this.messages.peek().concat(run.filter(isShown));
  }
}

/** @param {Posted} message */
function isShown(message) {
  return !message.void;
}
