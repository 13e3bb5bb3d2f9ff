import { signal } from "@preact/signals";

/** @typedef {import("./messages.js").NewMessage} NewMessage */

/** A gap wider than this is not filled: what is held is dropped, and scrolling up loads it again. */
export const WIDEST_GAP = 500;
/** Above this many messages the oldest half is let go while nobody looks at it. */
export const HELD_AT_MOST = 10_000;

/**
 * What the page holds of a room: one unbroken run of messages by `seq`, and those that came ahead of it.
 * It knows no network; `gap` says what to ask for.
 */
export class History {
  /** Oldest first, without gaps. Replaced, never changed. */
  said = signal(/** @type {NewMessage[]} */ ([]));
  /** There are older ones on the server. */
  more = signal(false);
  /** @type {Map<number, NewMessage>} */
  #ahead = new Map();

  get first() {
    return this.said.peek()[0]?.seq ?? 0;
  }

  get last() {
    return this.said.peek().at(-1)?.seq ?? 0;
  }

  /** What lies between the run and the nearest message ahead of it: `seq`s above `after` and below `before`. */
  get gap() {
    if (!this.#ahead.size) return null;
    return { after: this.last, before: Math.min(...this.#ahead.keys()) };
  }

  /** What was said after `seq`; who reads it follows it. @param {number} seq */
  after(seq) {
    const said = this.said.value;
    return said.slice(Math.max(0, seq + 1 - (said[0]?.seq ?? 0)));
  }

  /** @param {NewMessage} message */
  hear(message) {
    if (!this.last) this.#begin(message);
    else if (message.seq > this.last + 1) this.#ahead.set(message.seq, message);
    else if (message.seq === this.last + 1) this.#append(message);
    else if (this.#contradicts(message)) this.#correct(message);
  }

  /** A page of older messages, oldest first. @param {NewMessage[]} older @param {boolean} more */
  prepend(older, more) {
    const fitting = older.filter((message) => message.seq < this.first);
    if (fitting.length) this.said.value = fitting.concat(this.said.peek());
    this.more.value = more;
  }

  /** Forget everything after `seq`: it was heard, but the server never saved it. @param {number} seq */
  void(seq) {
    for (const ahead of [...this.#ahead.keys()]) if (ahead > seq) this.#ahead.delete(ahead);
    if (seq < this.last) this.said.value = this.said.peek().filter((message) => message.seq <= seq);
  }

  /** Give the run up and go on with what is ahead of it. */
  startOver() {
    const ahead = [...this.#ahead.values()].sort((a, b) => a.seq - b.seq);
    this.#ahead.clear();
    this.said.value = [];
    ahead.forEach((message) => this.hear(message));
  }

  /** Let the oldest half go if too many are held. */
  trim() {
    const said = this.said.peek();
    if (said.length <= HELD_AT_MOST) return;
    this.said.value = said.slice(-HELD_AT_MOST / 2);
    this.more.value = true;
  }

  /** @param {string} id */
  has(id) {
    return this.said.peek().some((message) => message.id === id);
  }

  /** @param {NewMessage} message */
  #begin(message) {
    this.said.value = [message];
    this.more.value = message.seq > 1;
  }

  /** @param {NewMessage} message */
  #append(message) {
    const run = [message];
    for (let seq = message.seq + 1; this.#ahead.has(seq); seq += 1) {
      run.push(/** @type {NewMessage} */ (this.#ahead.get(seq)));
      this.#ahead.delete(seq);
    }
    this.said.value = this.said.peek().concat(run);
  }

  /** The same `seq` with another `id`: the server came back without what it had not saved. @param {NewMessage} message */
  #contradicts(message) {
    const held = this.said.peek()[message.seq - this.first];
    return held !== undefined && held.id !== message.id;
  }

  /** @param {NewMessage} message */
  #correct(message) {
    this.void(message.seq - 1);
    this.hear(message);
  }
}
