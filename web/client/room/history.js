import { batch } from "@preact/signals";
import { Run } from "./run.js";

/** @typedef {import("../messages.js").Entry} Entry */
/** @typedef {import("../messages.js").Posted} Posted */

/**
 * History is the live run: it hears the room's log, place by place.
 *
 * Its last place is the position of this page: everything up to it was heard, in order. Entries that come ahead of it
 * wait until the gap is filled. Only the messages that greet a join may leave places out. History knows no network.
 */
export class History extends Run {
  /** @type {Map<number, Entry>} by seq */
  #ahead = new Map();
  /** The greeting is a page up to this seq; null if none is under way. @type {number | null} */
  #greetTo = null;

  // ---- Questions

  /** Entries are missing between the run and what came ahead. */
  get hasGap() {
    return !this.isGreeted && this.hasAhead;
  }

  get hasAhead() {
    return this.#ahead.size > 0;
  }

  /** The messages that greet a join are on their way. */
  get isGreeted() {
    return this.#greetTo !== null;
  }

  // ---- Hearing

  /** Takes an entry in by its `seq`; one that was heard already changes nothing. @param {Entry} entry */
  add(entry) {
    const { seq } = entry;
    if (this.#greetTo !== null) {
      if (seq <= this.#greetTo) this.#greetWith(entry);
      else this.#setAside(entry);
    } else if (!this.first) this.#beginWith(entry);
    else if (seq === this.last + 1) this.#continue(entry);
    else if (seq > this.last) this.#setAside(entry);
  }

  /** Starts over: the newest messages up to `seq` follow. @param {number} seq */
  greet(seq) {
    this.clear();
    this.rows.startOver(seq);
    this.#greetTo = seq;
  }

  /** Ends the greeting: all of it has come. */
  greeted() {
    if (this.#greetTo === null) return;
    const seq = this.#greetTo;
    this.#greetTo = null;
    if (this.first) this.last = seq;
    else this.begin(seq + 1, seq);
    this.#catchUp();
  }

  /**
   * Takes everything up to `seq` as heard.
   *
   * @param {Posted[]} messages those that are new or were changed; `rows` has taken them
   * @param {number} seq
   */
  skipTo(messages, seq) {
    const isMissing = (/** @type {Posted} */ each) => each.seq > this.last && each.seq <= seq;
    const missing = new Map(messages.filter(isMissing).map((each) => [each.seq, each]));
    this.append(
      [...missing.values()].sort((a, b) => a.seq - b.seq),
      seq,
    );
    this.rows.skipTo(this.last);
    this.#catchUp();
  }

  // ---- Shrinking

  /**
   * Takes back the entry at `seq`, which the database never took.
   *
   * What came ahead of a gap may tell of its effect, as a number of reactions that is one too high: it goes too.
   *
   * @param {number} seq
   * @returns {boolean} false for one that was taken back before
   */
  markVoid(seq) {
    const isNews = this.rows.markVoid(seq) || this.#ahead.has(seq);
    if (isNews) this.#ahead.clear();
    return isNews;
  }

  /** @override @param {number} seq */
  dropAbove(seq) {
    this.dropAhead();
    super.dropAbove(seq);
  }

  /** Drops what came ahead of a gap, and goes on after what has come of a greeting. */
  dropAhead() {
    this.#ahead.clear();
    this.#greetTo = null;
  }

  /** @override */
  clear() {
    this.dropAhead();
    super.clear();
  }

  /** Drops the run and begins another with what came ahead. */
  skipGap() {
    const ahead = [...this.#ahead.values()].sort((a, b) => a.seq - b.seq);
    this.clear();
    this.rows.startOver((ahead[0]?.seq ?? 1) - 1);
    ahead.forEach((entry) => this.add(entry));
  }

  // ---- Internal

  /** @param {Entry} entry */
  #greetWith(entry) {
    if (!this.first) this.begin(entry.seq, entry.seq - 1);
    if (entry.kind === undefined) this.rows.take([entry]);
    this.append(messagesOf([entry]), entry.seq);
  }

  /** @param {Entry} entry */
  #beginWith(entry) {
    this.begin(entry.seq, entry.seq - 1);
    this.#continue(entry);
  }

  /** @param {Entry} entry */
  #setAside(entry) {
    const held = this.#ahead.get(entry.seq);
    if (!held || isPartial(held)) this.#ahead.set(entry.seq, entry);
  }

  /** Hears an entry and all that came ahead and follows it without a gap. @param {Entry} entry */
  #continue(entry) {
    const heard = [entry];
    for (let next = this.#ahead.get(entry.seq + 1); next; next = this.#ahead.get(next.seq + 1)) heard.push(next);
    batch(() => {
      for (const each of heard) this.rows.hear(each);
      this.append(messagesOf(heard), heard.at(-1)?.seq);
    });
    for (const { seq } of heard) this.#ahead.delete(seq);
  }

  /** Goes on with what came ahead of a page. */
  #catchUp() {
    for (const seq of this.#ahead.keys()) if (seq <= this.last) this.#ahead.delete(seq);
    const next = this.#ahead.get(this.last + 1);
    if (next) this.#continue(next);
  }
}

/** @param {Entry[]} entries @returns {Posted[]} */
function messagesOf(entries) {
  return entries.flatMap((entry) => (entry.kind === undefined ? [entry] : []));
}

/** @param {Entry} entry */
function isPartial(entry) {
  return entry.kind === undefined && entry.isPartial;
}
