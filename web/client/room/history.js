import { signal } from "@preact/signals";

/** @typedef {import("../messages.js").Posted} Posted */

/** Above this many messages `trim` lets the oldest half go. */
export const MAX_HELD = 10_000;

/**
 * History holds one unbroken run of a room's messages by `seq`.
 *
 * Messages that come ahead of it wait until the gap is filled. A void place counts for the run and is not among the
 * messages. History knows no network.
 */
export class History {
  /** The messages of the run, oldest first. Replaced, never changed. */
  messages = signal(/** @type {Posted[]} */ ([]));
  /** The server has older ones. */
  hasMore = signal(false);
  /** The lowest and the highest `seq` of the run; 0 while it is empty. */
  first = 0;
  last = 0;
  /** @type {Map<number, Posted>} by seq */
  #ahead = new Map();

  // ---- Questions

  /** Messages are missing between the run and what came ahead. */
  get hasGap() {
    return this.#ahead.size > 0;
  }

  /** Returns the messages above `seq`. Reads the signal, so that the caller follows it. @param {number} seq */
  after(seq) {
    const held = this.messages.value;
    return held.slice(held.findLastIndex((message) => message.seq <= seq) + 1);
  }

  /** @param {string} id */
  has(id) {
    return this.messages.peek().some((message) => message.id === id);
  }

  // ---- Growing

  /** Takes a message in by its `seq`; one that is held already is ignored. @param {Posted} message */
  add(message) {
    if (!this.last) this.#begin(message);
    else if (message.seq > this.last + 1) this.#ahead.set(message.seq, message);
    else if (message.seq === this.last + 1) this.#continue(message);
  }

  /** Puts a page of newer messages at the end. @param {Posted[]} newer oldest first */
  append(newer) {
    const missing = newer.filter((message) => message.seq > this.last);
    const last = missing.at(-1);
    if (!last) return;
    this.last = last.seq;
    this.lastAt = last.inserted_at;
    this.messages.value = this.messages.peek().concat(missing.filter(isShown));
  }

  /**
   * Puts a page of older messages in front.
   *
   * @param {Posted[]} older oldest first
   * @param {boolean} hasMore
   */
  prepend(older, hasMore) {
    const missing = older.filter((message) => message.seq < this.first);
    this.first = missing[0]?.seq ?? this.first;
    this.messages.value = missing.filter(isShown).concat(this.messages.peek());
    this.hasMore.value = hasMore;
  }

  // ---- Shrinking

  /** Hides the message at `seq`, which the database never took. @param {number} seq */
  markVoid(seq) {
    const ahead = this.#ahead.get(seq);
    if (ahead) this.#ahead.set(seq, { ...ahead, void: true });
    if (seq < this.first || seq > this.last) return;
    this.messages.value = this.messages.peek().filter((message) => message.seq !== seq);
  }

  /** Drops everything above `seq`. @param {number} seq */
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

  /** Drops the run and begins another with what came ahead. */
  skipGap() {
    const ahead = [...this.#ahead.values()].sort((a, b) => a.seq - b.seq);
    this.clear();
    ahead.forEach((message) => this.add(message));
  }

  /** Drops the oldest half if too many are held. */
  trim() {
    const held = this.messages.peek();
    if (held.length <= MAX_HELD) return;
    this.messages.value = held.slice(-MAX_HELD / 2);
    this.first = /** @type {Posted} */ (this.messages.peek()[0]).seq;
    this.hasMore.value = true;
  }

  // ---- Internal

  /** @param {Posted} message */
  #begin(message) {
    this.first = message.seq;
    this.last = message.seq;
    this.messages.value = [message].filter(isShown);
    this.hasMore.value = message.seq > 1;
  }

  /** Appends `message` and all that came ahead and follows it without a gap. @param {Posted} message */
  #continue(message) {
    const run = [message];
    for (let next = this.#ahead.get(message.seq + 1); next; next = this.#ahead.get(next.seq + 1)) {
      run.push(next);
      this.#ahead.delete(next.seq);
    }
    this.append(run);
  }
}

/** @param {Posted} message */
function isShown(message) {
  return !message.void;
}
