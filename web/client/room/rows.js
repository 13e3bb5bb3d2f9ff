import { batch, signal } from "@preact/signals";
import { changedOf, fold, isAbout, isTouching, mustBeReadAgain } from "./fold.js";

/** @typedef {import("../messages.js").Entry} Entry */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Row} Row */
/** @typedef {import("./fold.js").Touch} Touch */

/** So many entries that touch messages are kept for pages older than they are. */
export const MAX_KEPT = 1000;

/**
 * @typedef {object} Shows what Rows needs of those who show messages
 * @property {(row: Posted) => Row} show lays over a message what this page adds to it
 * @property {(seq: number) => void} changed is called for each message that has changed or is gone
 * @property {(seq: number) => boolean} isShown
 * @property {() => void} distrusted is called when messages are to be read again
 * @property {(seq: number) => void} [heard] is called for each next entry
 * @property {(event: import("../messages.js").RoomNote) => void} [noted] is called with the next entry that is about no message
 * @property {(account: number) => void} [purged] is called with an account that was erased
 * @property {(seq: number) => void} [voided] is called for each place that turns out to be void
 * @property {(base: number) => void} [restarted] is called where nothing above `base` holds any more
 */

/**
 * Rows holds messages by `seq` and folds the room's log into them. docs/delivery.md has the rules R1 to R3.
 *
 * A message held is the fold of all entries that touch it up to what was heard, or up to the last that touched it if
 * that is later. Pages of any age, repeats and a crash of the server keep it so. A message of which that may be wrong is
 * stale: it is shown as it is until it has been read again.
 */
export class Rows {
  /** Counts the changes, for those who follow them. */
  version = signal(0);
  /** Everything up to this seq was heard, in order. */
  heardTo = 0;
  /** By seq. @type {Map<number, Posted>} */
  #rows = new Map();
  /** What is shown in place of a row. @type {Map<number, Row>} */
  #shown = new Map();
  /** The seqs of the replies to each root. @type {Map<number, Set<number>>} */
  #replies = new Map();
  /** The seqs of those that are shown as deleted. @type {Map<number, Set<number>>} */
  #goneReplies = new Map();
  /** @type {Set<number>} */
  #pinned = new Set();
  /** @type {Set<number>} */
  #stale = new Set();
  /** The void places heard. @type {Set<number>} */
  #voids = new Set();
  /** Those of which the server has told since the last join. @type {Set<number>} */
  #told = new Set();
  /** The messages of pages since the last join. @type {Set<number>} */
  #taken = new Set();
  /** What was asked for and is no message. @type {Set<number>} */
  #absent = new Set();
  /** The entries heard last that touch messages, in order. @type {Touch[]} */
  #kept = [];
  /** Entries up to this seq are not all kept. */
  #keptAfter = 0;
  #shows;

  /** @param {Shows} shows */
  constructor(shows) {
    this.#shows = shows;
  }

  // ---- Questions

  /** Returns a message as the server has it. @param {number} seq */
  get(seq) {
    return this.#rows.get(seq);
  }

  /** Returns a message as it is shown. @param {number} seq @returns {Row | undefined} */
  shown(seq) {
    return this.#shown.get(seq) ?? this.#rows.get(seq);
  }

  /** Returns messages as they are shown, without those that are not held. @param {Iterable<number>} seqs @returns {Row[]} */
  allShown(seqs) {
    return [...seqs].flatMap((seq) => this.shown(seq) ?? []);
  }

  /** Returns the seqs of the replies held to a message. @param {number} root @returns {Iterable<number>} */
  repliesTo(root) {
    return this.#replies.get(root) ?? [];
  }

  /** The seqs of the pinned messages held. @returns {Iterable<number>} */
  get pinned() {
    return this.#pinned;
  }

  /** The seqs of what is to be read again. */
  get stale() {
    return [...this.#stale];
  }

  /** Whether a message is to be read, for the first time or again. @param {number} seq */
  isWanted(seq) {
    return this.#stale.has(seq) || (seq <= this.heardTo && !this.#rows.has(seq) && !this.#absent.has(seq));
  }

  /** Whether it was asked for, and is no message. @param {number} seq */
  isAbsent(seq) {
    return this.#absent.has(seq);
  }

  // ---- Entries, in order

  /** Takes the next entry of the log: rule R1. @param {Entry} entry */
  hear(entry) {
    batch(() => {
      if (entry.void) this.markVoid(entry.seq);
      this.heardTo = entry.seq;
      this.#shows.heard?.(entry.seq);
      if (entry.void) return;
      this.#voids.delete(entry.seq); // this node has not heard yet that it is
      if (entry.kind === "purge") this.#shows.purged?.(entry.account ?? 0);
      if (entry.kind === undefined) this.#hearMessage(entry);
      else if (isTouching(entry.kind)) this.#touch(/** @type {Touch} */ (entry));
      else this.#shows.noted?.(entry);
    });
  }

  /**
   * Takes back an entry of any kind that the server will never save.
   *
   * Each join tells of it again. Then that is no matter, unless a page was taken since that shows it: one node may hear
   * of it later than another.
   *
   * @param {number} seq
   * @returns {boolean} false where it was taken back before
   */
  markVoid(seq) {
    if (this.#told.has(seq)) return false;
    this.#told.add(seq);
    this.#shows.voided?.(seq);
    const isAgain = this.#voids.has(seq);
    if (isAgain && !this.#hasTaken(seq)) return false;
    this.#voids.add(seq);
    const touch = this.#kept.find((each) => each.seq === seq);
    const isHeard = this.#keptAfter < seq && seq <= this.heardTo;
    const isKept = isHeard && !isAgain && touch?.kind !== "purge"; // which touches many
    batch(() => {
      this.skipTo(this.heardTo); // what was said after it may tell of its effect
      this.distrust([touch?.target ?? this.#rows.get(seq)?.root ?? 0]);
      this.#delete(seq);
      if (!isKept) this.distrust(this.#where((row) => mayShow(row, seq))); // so may a page
    });
    return true;
  }

  // ---- Pages

  /**
   * Takes the messages of a page: rule R2.
   *
   * @param {Posted[]} page
   * @param {number} [asOf] they show everything up to this seq
   */
  take(page, asOf = Infinity) {
    batch(() => {
      for (const row of page) if (!row.void && this.#isNews(row)) this.#takeRow(row, asOf);
      if (asOf !== Infinity) page.forEach(({ seq }) => this.#taken.add(seq));
    });
  }

  /** Drops messages, except those that something shows. @param {Iterable<number>} seqs */
  release(seqs) {
    batch(() => {
      for (const seq of seqs) if (!this.#shows.isShown(seq)) this.#delete(seq);
    });
  }

  /**
   * Drops what was asked for and is no message. A page that is older than a message lacks it too.
   *
   * @param {number[]} seqs
   * @param {number} [asOf] of the page that lacks them
   */
  notFound(seqs, asOf = Infinity) {
    batch(() => {
      for (const seq of seqs.filter((each) => each <= asOf)) {
        this.#delete(seq);
        this.#absent.add(seq);
      }
    });
  }

  // ---- Positions

  /** Begins a join, maybe of a node that has heard less of void places than the one before. */
  rejoin() {
    this.#told.clear();
    this.#taken.clear();
  }

  /** Forgets what an earlier epoch of the server has said above `base`: rule R3. @param {number} base */
  restart(base) {
    this.heardTo = Math.min(this.heardTo, base);
    this.#shows.restarted?.(base);
    this.#kept = this.#kept.filter(({ seq }) => seq <= base);
    this.#keptAfter = Math.min(this.#keptAfter, base);
    this.#absent.clear();
    this.#voids.clear();
    this.#told.clear();
    this.release(this.#rows.keys());
    batch(() => {
      this.#where(({ seq }) => seq > base).forEach((seq) => this.#delete(seq));
      this.distrust(this.#where((row) => changedOf(row) > base));
    });
  }

  /** Goes on at `seq`: the messages held show everything up to it. @param {number} seq */
  skipTo(seq) {
    this.heardTo = seq;
    this.#keptAfter = seq;
    this.#kept = [];
  }

  /** Goes on at `seq` without what happened before to the messages held. @param {number} seq */
  startOver(seq) {
    this.skipTo(seq);
    this.#absent.clear();
    this.#voids.clear();
    this.#told.clear();
    this.release(this.#rows.keys());
    this.distrust(this.#rows.keys());
  }

  /** Has messages read again. @param {Iterable<number>} seqs */
  distrust(seqs) {
    const before = this.#stale.size;
    for (const seq of seqs) if (this.#rows.has(seq)) this.#stale.add(seq);
    if (this.#stale.size > before) this.#shows.distrusted();
  }

  /** Shows messages anew: what this page adds to them has changed. @param {Iterable<number>} seqs */
  redraw(seqs) {
    batch(() => {
      for (const seq of seqs) if (this.#rows.has(seq)) this.#show(seq);
    });
  }

  /** Shows all messages anew. */
  redrawAll() {
    this.redraw(this.#rows.keys());
  }

  // ---- Internal

  /** @param {Posted & {isPartial?: boolean}} entry */
  #hearMessage({ isPartial, ...row }) {
    this.take([row]);
    if (isPartial) this.distrust([row.seq]);
    const { seq, root, root_replies: replies } = row;
    if (root) this.#touch({ seq, kind: "reply", target: root, ...(replies !== undefined && { replies }) });
  }

  /** @param {Touch} entry */
  #touch(entry) {
    this.#keep(entry);
    const seqs = entry.kind === "purge" ? this.#where(({ seq }) => isAbout(entry, seq)) : [entry.target];
    for (const row of seqs.flatMap((seq) => this.#rows.get(seq) ?? [])) this.#foldInto(row, [entry]);
  }

  /** @param {Posted} row @param {Touch[]} entries */
  #foldInto(row, entries) {
    const news = entries.filter(({ seq }) => seq > changedOf(row));
    const isWhole = news.every(({ kind, replies }) => kind !== "reply" || replies !== undefined);
    this.#set(isWhole ? news.reduce(fold, row) : row);
    const isUnknown = news.some((entry) => mustBeReadAgain(entry, row.seq));
    if (!isWhole || isUnknown) this.distrust([row.seq]); // replies that were missed come without their number
  }

  /** @param {Touch} entry */
  #keep(entry) {
    this.#kept.push(entry);
    if (this.#kept.length < 2 * MAX_KEPT) return; // the array is cut once for many entries
    this.#kept = this.#kept.slice(-MAX_KEPT);
    this.#keptAfter = /** @type {Touch} */ (this.#kept[0]).seq - 1;
  }

  /** @param {Posted} row */
  #isNews(row) {
    const held = this.#rows.get(row.seq);
    return !held || this.#stale.has(row.seq) || changedOf(row) > changedOf(held);
  }

  /** @param {Posted} row @param {number} asOf */
  #takeRow(row, asOf) {
    const later = asOf < this.heardTo ? this.#kept.filter((each) => each.seq > asOf && isAbout(each, row.seq)) : [];
    this.#stale.delete(row.seq);
    this.#foldInto(row, later);
    if (asOf < this.#keptAfter) this.distrust([row.seq]);
  }

  /** @param {Posted} row */
  #set(row) {
    this.#rows.set(row.seq, row);
    this.#absent.delete(row.seq);
    if (row.root) this.#replies.set(row.root, (this.#replies.get(row.root) ?? new Set()).add(row.seq));
    if (row.pinned_at) this.#pinned.add(row.seq);
    else this.#pinned.delete(row.seq);
    this.#show(row.seq);
  }

  /** @param {number} seq */
  #show(seq) {
    const row = /** @type {Posted} */ (this.#rows.get(seq));
    const shown = this.#shows.show(this.#withoutGone(row));
    if (shown === row) this.#shown.delete(seq);
    else this.#shown.set(seq, shown);
    this.#changed(seq);
    this.#countReply(row, Boolean(shown.deleted_at));
  }

  /** The server counts the places of a thread: those of deleted replies that are held are taken off. @param {Posted} row */
  #withoutGone(row) {
    const gone = this.#goneReplies.get(row.seq)?.size ?? 0;
    return gone && row.replies ? { ...row, replies: Math.max(0, row.replies - gone) } : row;
  }

  /** @param {Posted | undefined} row @param {boolean} isGone */
  #countReply(row, isGone) {
    if (!row?.root) return;
    const { seq, root } = row;
    const gone = this.#goneReplies.get(root) ?? new Set();
    if (gone.has(seq) === isGone) return;
    if (isGone) this.#goneReplies.set(root, gone.add(seq));
    else gone.delete(seq);
    this.redraw([root]);
  }

  /** @param {number} seq */
  #delete(seq) {
    const row = this.#rows.get(seq);
    this.#replies.get(row?.root ?? 0)?.delete(seq);
    for (const held of [this.#rows, this.#shown, this.#pinned, this.#stale]) held.delete(seq);
    this.#changed(seq);
    this.#countReply(row, false);
  }

  /** @param {number} seq */
  #changed(seq) {
    this.#notify();
    this.#shows.changed(seq);
  }

  #notify() {
    this.version.value = this.version.peek() + 1;
  }

  /** Whether a page since the last join has brought what a place that is void has had, or may show it. @param {number} seq */
  #hasTaken(seq) {
    const held = [...this.#taken].flatMap((each) => this.#rows.get(each) ?? []);
    return held.some((row) => row.seq === seq || mayShow(row, seq));
  }

  /** Returns the seqs of some messages. @param {(row: Posted) => boolean} isWanted */
  #where(isWanted) {
    return [...this.#rows.values()].filter(isWanted).map(({ seq }) => seq);
  }
}

/** Whether a message may show the entry in a place. @param {Posted} row @param {number} seq */
function mayShow(row, seq) {
  return row.seq < seq && seq <= changedOf(row);
}
