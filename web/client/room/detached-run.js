import { batch, computed, signal } from "@preact/signals";
import { jitter } from "../connection.js";
import { Run } from "./run.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./pages.js").Pages} Pages */
/** @typedef {import("./rows.js").Rows} Rows */
/** @typedef {import("../messages.js").Page} Page */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").RecoveryAnswer} RecoveryAnswer */
/** @typedef {import("../messages.js").Refused} Refused */

/**
 * @typedef {object} Target the message that a person asked for
 * @property {number} asked its seq
 * @property {"opening" | "shown" | "failed"} state
 * @property {number} seq of the message that is shown: `asked` or the nearest; 0 if there is none
 */

/** Follows a failure without `retry_after_ms`. */
const RETRY_MS = 2000;
const MAX_FAILURES = 3;
/** So many pages are read at once below the run: with the server's defaults they bring 200 messages. */
const PAGES_AHEAD = 8;

/**
 * DetachedRun shows a part of a room's past apart from its newest messages.
 *
 * It opens around a message, grows both ways, and ends where it meets the live run: from then on the two are one. New
 * messages, recovery and posts know only the live run. A message that the live run holds needs no other.
 */
export class DetachedRun {
  /** The messages apart from the live run. */
  run = signal(/** @type {Run | null} */ (null));
  /** What the person asked for last, until they go to the newest messages. */
  target = signal(/** @type {Target | null} */ (null));
  /** The seq to which the view is to scroll; 0 once it has. */
  arrival = signal(0);
  loadingNewer = signal(false);
  /** Nothing was shown when the message was asked for: the newest messages would only flash up. */
  isBlank = signal(false);
  /** Nobody asked for the message: it is where the person was reading. */
  isReturn = signal(false);
  /** The run on the screen. */
  shown = computed(() => /** @type {Run} */ (this.run.value ?? this.#live));
  /** @type {number | undefined} the server's epoch when it sent what is held */
  #epoch;
  #live;
  #pages;
  #rows;
  #met;

  /**
   * @param {History} live
   * @param {Pages} pages
   * @param {Rows} rows
   * @param {() => void} met is called when the live run has got this one in front
   */
  constructor(live, pages, rows, met) {
    this.#live = live;
    this.#pages = pages;
    this.#rows = rows;
    this.#met = met;
  }

  // ---- The person's actions

  /**
   * Shows the message at `seq` or the nearest.
   *
   * @param {number} seq
   * @param {boolean} isBlank nothing is shown yet
   * @param {boolean} isReturn
   */
  open(seq, isBlank, isReturn = false) {
    const held = [this.#live, this.run.peek()].find((run) => run?.covers(seq));
    batch(() => {
      this.target.value = { asked: seq, state: "opening", seq: 0 };
      this.isBlank.value = isBlank && !held;
      this.isReturn.value = isReturn;
      if (held === this.#live) this.#drop();
      if (held) this.#arrive();
      else this.#fetch();
    });
  }

  /** Drops the run: the newest messages are shown. */
  close() {
    batch(() => {
      this.#drop();
      this.target.value = null;
      this.arrival.value = 0;
      this.isBlank.value = false;
    });
  }

  /** Loads what follows the run. Does nothing while there is none or it is loading. */
  async loadNewer() {
    const run = this.run.peek();
    if (!run || this.loadingNewer.peek()) return;
    this.loadingNewer.value = true;
    try {
      for (let pages = PAGES_AHEAD; pages && (await this.#readOn(run)); pages -= 1);
    } catch {
      // Nothing is lost: the next scroll asks again.
    } finally {
      this.loadingNewer.value = false;
    }
  }

  // ---- Events

  /** Drops what the server never saved, and asks for what it has not answered. @param {RecoveryAnswer} answer */
  joined({ epoch, base, recovered }) {
    const run = this.run.peek();
    if (run && epoch !== this.#epoch) run.dropAbove(recovered ? base : 0);
    this.#epoch = epoch;
    if (run?.isEmpty) this.#reopen();
    this.resume();
  }

  /** Asks again if the answer got lost. */
  resume() {
    if (this.target.peek()?.state === "opening") this.#fetch();
  }

  /** Shows the present state of a message. @param {number} seq */
  update(seq) {
    this.run.peek()?.update(seq);
  }

  /** Makes one run of the two if they touch. */
  meet() {
    const run = this.run.peek();
    const live = this.#live;
    if (!run || !live.last || run.last + 1 < live.first) return;
    batch(() => {
      if (run.first < live.first) live.prepend(run.messages.peek(), run.hasMore.peek());
      this.run.value = null;
    });
    this.#met();
  }

  // ---- Internal

  /**
   * Reads a page around the end of the run: `after` would bring what was changed, in the order of the changes. Only half
   * of the page is new. Returns whether more follows.
   *
   * @param {Run} run
   */
  async #readOn(run) {
    const page = await this.#pages.read({ around: run.last });
    if (run !== this.run.peek()) return false;
    run.append(page.messages, endOf(page));
    run.trim();
    this.meet();
    return page.more_after === true && run === this.run.peek();
  }

  #drop() {
    const run = this.run.peek();
    this.run.value = null;
    run?.clear();
  }

  #reopen() {
    const target = this.target.peek();
    this.#drop();
    if (target) this.target.value = { ...target, state: "opening", seq: 0 };
  }

  async #fetch() {
    const target = /** @type {Target} */ (this.target.peek());
    const page = await this.#ask(target.asked).catch(() => undefined);
    if (this.target.peek() !== target || page === undefined) return;
    batch(() => {
      if (page) this.#opened(page);
      else this.#settle({ ...target, state: "failed" });
    });
  }

  /**
   * Asks for the page around `seq`. Rejects when the connection is lost: the next join asks again.
   *
   * @param {number} seq
   * @returns {Promise<Page | null>} null if the server cannot answer
   */
  async #ask(seq) {
    for (let failures = 1; ; failures += 1) {
      try {
        return await this.#pages.read({ around: seq });
      } catch (error) {
        const refusal = /** @type {Refused} */ (error);
        if (refusal.reason === "lost") throw refusal;
        if (failures === MAX_FAILURES) return null;
        await this.#pages.pause(jitter(refusal.retry_after_ms ?? RETRY_MS));
      }
    }
  }

  /** @param {Page} page */
  #opened(page) {
    this.run.value = this.#runOf(page);
    this.meet();
    this.#arrive();
  }

  /** @param {Page} page @returns {Run | null} null for a page without messages */
  #runOf(page) {
    const { messages, more } = page;
    const first = messages[0]?.seq;
    if (!first) return null;
    const run = new Run(this.#rows);
    run.begin(first, first - 1);
    run.append(messages, endOf(page));
    run.prepend([], more);
    return run;
  }

  #arrive() {
    const { asked } = /** @type {Target} */ (this.target.peek());
    const seq = nearest(this.shown.peek().messages.peek(), asked);
    this.#settle({ asked, state: "shown", seq });
    this.arrival.value = seq;
  }

  /** @param {Target} target */
  #settle(target) {
    this.target.value = target;
    this.isBlank.value = false;
  }
}

/** Returns how far a page around a place reaches: to the newest entry if no message follows. @param {Page} page */
function endOf({ messages, more_after, as_of = 0 }) {
  const last = messages.at(-1)?.seq ?? 0;
  return more_after ? last : Math.max(last, as_of);
}

/** Returns the seq nearest to `seq`, of two the older; 0 if there is none. @param {Posted[]} messages @param {number} seq */
export function nearest(messages, seq) {
  const at = messages.findLastIndex((message) => message.seq <= seq);
  const below = messages[at]?.seq;
  const above = messages[at + 1]?.seq;
  if (below === undefined || above === undefined) return below ?? above ?? 0;
  return seq - below <= above - seq ? below : above;
}
