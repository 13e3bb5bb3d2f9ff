import { batch, computed, signal } from "@preact/signals";
import { jitter } from "../connection.js";
import { HISTORY } from "../messages.js";
import { History } from "./history.js";

/** @typedef {import("./pending-requests.js").PendingRequests} PendingRequests */
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

/**
 * DetachedRun shows a part of a room's past apart from its newest messages.
 *
 * It opens around a message, grows both ways, and ends where it meets the live run: from then on the two are one. New
 * messages, recovery and posts know only the live run. A message that the live run holds needs no other.
 */
export class DetachedRun {
  /** The messages apart from the live run. */
  run = signal(/** @type {History | null} */ (null));
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
  shown = computed(() => this.run.value ?? this.#live);
  /** @type {number | undefined} the server's epoch when it sent what is held */
  #epoch;
  #live;
  #requests;
  #met;

  /**
   * @param {History} live
   * @param {PendingRequests} requests
   * @param {() => void} met is called when the live run has got this one in front
   */
  constructor(live, requests, met) {
    this.#live = live;
    this.#requests = requests;
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
    const held = [this.#live, this.run.peek()].find((run) => run && run.first <= seq && seq <= run.last);
    batch(() => {
      this.target.value = { asked: seq, state: "opening", seq: 0 };
      this.isBlank.value = isBlank && !held;
      this.isReturn.value = isReturn;
      if (held === this.#live) this.run.value = null;
      if (held) this.#arrive();
      else this.#fetch();
    });
  }

  /** Drops the run: the newest messages are shown. */
  close() {
    batch(() => {
      this.run.value = null;
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
      /** @type {Page} */
      const { messages } = await this.#requests.send(HISTORY, { after: run.last });
      run.append(messages);
      run.trim();
      this.meet();
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
    if (run && !run.last) this.#reopen();
    this.resume();
  }

  /** Asks again if the answer got lost. */
  resume() {
    if (this.target.peek()?.state === "opening") this.#fetch();
  }

  /** @param {number} seq */
  markVoid(seq) {
    this.run.peek()?.markVoid(seq);
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

  #reopen() {
    const target = this.target.peek();
    this.run.value = null;
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
        return await this.#requests.send(HISTORY, { around: seq });
      } catch (error) {
        const refusal = /** @type {Refused} */ (error);
        if (refusal.reason === "lost") throw refusal;
        if (failures === MAX_FAILURES) return null;
        await this.#requests.pause(jitter(refusal.retry_after_ms ?? RETRY_MS));
      }
    }
  }

  /** @param {Page} page */
  #opened(page) {
    this.run.value = runOf(page);
    this.meet();
    this.#arrive();
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

/** @param {Page} page @returns {History | null} null for a page without messages */
function runOf({ messages: [first, ...others], more }) {
  if (!first) return null;
  const run = new History();
  run.add(first);
  run.append(others);
  run.hasMore.value = more;
  return run;
}

/** Returns the seq nearest to `seq`, of two the older; 0 if there is none. @param {Posted[]} messages @param {number} seq */
export function nearest(messages, seq) {
  const at = messages.findLastIndex((message) => message.seq <= seq);
  const below = messages[at]?.seq;
  const above = messages[at + 1]?.seq;
  if (below === undefined || above === undefined) return below ?? above ?? 0;
  return seq - below <= above - seq ? below : above;
}
