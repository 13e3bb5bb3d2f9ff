import { signal } from "@preact/signals";

/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Row} Row */
/** @typedef {import("./rows.js").Rows} Rows */

/** Above this many messages `trim` lets the oldest half go. */
export const MAX_HELD = 10_000;

/**
 * Run shows one unbroken part of a room's log: its messages, oldest first.
 *
 * A run is a range of places. Those without a message, as void places and entries of other kinds, count for it. The
 * messages themselves belong to `Rows`.
 */
export class Run {
  /** The messages as they are shown. Replaced, never changed. */
  messages = signal(/** @type {Row[]} */ ([]));
  /** The server has older ones. */
  hasMore = signal(false);
  /** The lowest and the highest place of the run; 0 until it begins. An empty one begins after it ends. */
  first = 0;
  last = 0;
  /** @protected */
  rows;

  /** @param {Rows} rows */
  constructor(rows) {
    this.rows = rows;
  }

  // ---- Questions

  /** @param {number} seq */
  covers(seq) {
    return this.first <= seq && seq <= this.last;
  }

  get isEmpty() {
    return !this.first || this.first > this.last;
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

  // ---- Growing: `rows` has taken the messages before

  /**
   * Begins at a place, or after it where that has no message yet.
   *
   * @param {number} first
   * @param {number} [last]
   */
  begin(first, last = first) {
    this.first = first;
    this.last = last;
    this.messages.value = [];
    this.hasMore.value = first > 1;
  }

  /**
   * Puts a page of newer messages at the end.
   *
   * @param {Posted[]} newer oldest first
   * @param {number} [last] where the run ends now, if other entries follow the last message
   */
  append(newer, last = newer.at(-1)?.seq ?? 0) {
    const missing = newer.filter((message) => message.seq > this.last);
    this.last = Math.max(this.last, last);
    if (missing.length) this.messages.value = this.messages.peek().concat(this.#shown(missing));
  }

  /**
   * Puts a page of older messages in front.
   *
   * @param {Posted[]} older oldest first
   * @param {boolean} hasMore
   */
  prepend(older, hasMore) {
    const missing = older.filter((message) => message.seq < this.first);
    this.first = hasMore ? (missing[0]?.seq ?? this.first) : 1;
    this.messages.value = this.#shown(missing).concat(this.messages.peek());
    this.hasMore.value = hasMore;
  }

  // ---- Changing

  /** Shows the present state of a message, or that it is gone. @param {number} seq */
  update(seq) {
    const held = this.messages.peek();
    const at = this.covers(seq) ? indexOf(held, seq) : -1;
    if (at < 0) return;
    const row = this.rows.shown(seq);
    this.messages.value = row ? held.with(at, row) : held.toSpliced(at, 1);
  }

  // ---- Shrinking

  /** Drops everything above `seq`. @param {number} seq */
  dropAbove(seq) {
    if (seq >= this.last) return;
    const held = this.messages.peek();
    this.last = seq;
    if (seq < this.first) this.begin(seq + 1, seq);
    else this.messages.value = held.filter((message) => message.seq <= seq);
    this.rows.release(seqsOf(held.slice(this.messages.peek().length)));
  }

  clear() {
    const held = this.messages.peek();
    this.begin(0);
    this.rows.release(seqsOf(held));
  }

  /** Drops the oldest half if too many are held. */
  trim() {
    const held = this.messages.peek();
    if (held.length <= MAX_HELD) return;
    this.messages.value = held.slice(-MAX_HELD / 2);
    this.first = /** @type {Row} */ (this.messages.peek()[0]).seq;
    this.hasMore.value = true;
    this.rows.release(seqsOf(held.slice(0, -MAX_HELD / 2)));
  }

  // ---- Internal

  /** @param {Posted[]} page @returns {Row[]} */
  #shown(page) {
    return this.rows.allShown(seqsOf(page));
  }
}

/** @param {Posted[]} messages */
function seqsOf(messages) {
  return messages.map(({ seq }) => seq);
}

/** Returns the index of a message by bisection; -1 if it is not there. @param {Row[]} messages @param {number} seq */
function indexOf(messages, seq) {
  let from = 0;
  for (let to = messages.length; from < to;) {
    const middle = (from + to) >> 1;
    if (/** @type {Row} */ (messages[middle]).seq < seq) from = middle + 1;
    else to = middle;
  }
  return messages[from]?.seq === seq ? from : -1;
}
