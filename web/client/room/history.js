import { signal } from "@preact/signals";

/** @typedef {import("../messages.js").Posted} Posted */

/** Above this many messages the oldest half is let go while nobody looks at it. */
export const HELD_AT_MOST = 10_000;

/**
 * What the page holds of a room: one unbroken run of places by `seq`, and what came ahead of it. A void place counts
 * for the run, and is not among what was said. It knows no network.
 */
export class History {
  /** The messages of the run, oldest first. Replaced, never changed. */
  said = signal(/** @type {Posted[]} */ ([]));
  /** There are older ones on the server. */
  more = signal(false);
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
    const said = this.said.value;
    return said.slice(said.findLastIndex((message) => message.seq <= seq) + 1);
  }

  /** @param {string} id */
  has(id) {
    return this.said.peek().some((message) => message.id === id);
  }

  /** What is known already is not heard twice. @param {Posted} message */
  hear(message) {
    if (!this.last) this.#begin(message);
    else if (message.seq > this.last + 1) this.#ahead.set(message.seq, message);
    else if (message.seq === this.last + 1) this.#append(message);
  }

  /** A page of older messages, oldest first. @param {Posted[]} older @param {boolean} more */
  prepend(older, more) {
    const fitting = older.filter((message) => message.seq < this.first);
    this.first = fitting[0]?.seq ?? this.first;
    this.said.value = fitting.filter(isSaid).concat(this.said.peek());
    this.more.value = more;
  }

  /** What stands at `seq` was never saved. @param {number} seq */
  void(seq) {
    const ahead = this.#ahead.get(seq);
    if (ahead) this.#ahead.set(seq, { ...ahead, void: true });
    if (seq >= this.first && seq <= this.last)
      this.said.value = this.said.peek().filter((message) => message.seq !== seq);
  }

  /** Forget everything above `seq`. @param {number} seq */
  dropAbove(seq) {
    this.dropAhead();
    if (seq >= this.last) return;
    if (seq < this.first) this.clear();
    else {
      this.last = seq;
      this.said.value = this.said.peek().filter((message) => message.seq <= seq);
    }
  }

  dropAhead() {
    this.#ahead.clear();
  }

  clear() {
    this.dropAhead();
    this.first = 0;
    this.last = 0;
    this.said.value = [];
    this.more.value = false;
  }

  /** Give the run up and go on with what is ahead of it. */
  skip() {
    const ahead = [...this.#ahead.values()].sort((a, b) => a.seq - b.seq);
    this.clear();
    ahead.forEach((message) => this.hear(message));
  }

  /** Let the oldest half go if too many are held. */
  trim() {
    const said = this.said.peek();
    if (said.length <= HELD_AT_MOST) return;
    this.said.value = said.slice(-HELD_AT_MOST / 2);
    this.first = /** @type {Posted} */ (this.said.peek()[0]).seq;
    this.more.value = true;
  }

  /** @param {Posted} message */
  #begin(message) {
    this.first = message.seq;
    this.last = message.seq;
    this.said.value = [message].filter(isSaid);
    this.more.value = message.seq > 1;
  }

  /** @param {Posted} message */
  #append(message) {
    const run = [message];
    for (let next = this.#ahead.get(message.seq + 1); next; next = this.#ahead.get(next.seq + 1)) {
      run.push(next);
      this.#ahead.delete(next.seq);
    }
    this.last = message.seq + run.length - 1;
    this.said.value = this.said.peek().concat(run.filter(isSaid));
  }
}

/** @param {Posted} message */
function isSaid(message) {
  return !message.void;
}
