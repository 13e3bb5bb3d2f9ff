import { signal } from "@preact/signals";
import { jitter } from "../connection.js";
import { HISTORY, SYNC } from "../messages.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./pending-requests.js").PendingRequests} PendingRequests */
/** @typedef {import("../messages.js").Page} Page */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").RecoveryAnswer} RecoveryAnswer */
/** @typedef {import("../messages.js").Refused} Refused */

/** Follows a failure without `retry_after_ms`: the database or the room needs a moment. */
const RETRY_MS = 2000;
/** After so many failures new messages matter more than the missing ones. */
const MAX_FAILURES = 3;

/**
 * Recovery fetches the messages that this page missed.
 *
 * A join carries our position; the server's answer says what is void, what follows, and whether that is all. A gap
 * that opens later is closed by `sync`. docs/delivery.md has the rules.
 */
export class Recovery {
  /** The seq above which messages are missing that were dropped; 0 if none are. */
  missingAfter = signal(0);
  /** @type {number | undefined} the server's epoch when it sent what is held */
  #epoch;
  #hasMore = false; // not all missed messages followed the answer
  #resyncDue = false; // the server has dropped messages
  /** @type {object | null} identifies the running `fetchMissing` */
  #attempt = null;
  #history;
  #requests;
  #receive;

  /**
   * @param {History} history
   * @param {PendingRequests} requests
   * @param {(message: Posted) => void} receive gives a message to the room, which adds it to `history`
   */
  constructor(history, requests, receive) {
    this.#history = history;
    this.#requests = requests;
    this.#receive = receive;
  }

  /**
   * Our position for the next join. Empty while nothing is held: then the server sends the newest messages.
   *
   * @returns {import("../messages.js").Position}
   */
  get position() {
    return this.#history.last ? this.#since : {};
  }

  get #since() {
    return { since: this.#history.last, epoch: this.#epoch };
  }

  get #isIncomplete() {
    return this.#hasMore || this.#resyncDue || this.#history.hasGap;
  }

  // ---- Events

  /** Applies the answer to a join or a `sync`; the missed messages follow it. @param {RecoveryAnswer} answer */
  applyAnswer({ epoch, base, recovered, more }) {
    const isSame = epoch === this.#epoch;
    this.#epoch = epoch; // first: who follows the history reads both
    if (!recovered) this.#startOver(() => this.#history.clear());
    else if (!isSame) this.#history.dropAbove(base);
    this.#hasMore = more;
    this.#resyncDue = false;
  }

  /** Starts over: the server has dropped messages and answers that it had for us. */
  resynced() {
    this.#resyncDue = true;
    this.#attempt = null;
    this.fetchMissing();
  }

  /** Clears `missingAfter` if the older messages that were loaded reach back to it. */
  olderLoaded() {
    if (this.#history.first <= this.missingAfter.peek() + 1) this.missingAfter.value = 0;
  }

  /** Drops what came ahead of a gap: it comes again with the next join. */
  disconnected() {
    this.#attempt = null;
    this.#history.dropAhead();
  }

  // ---- Fetching

  /** Asks whether messages are missing of which no gap tells. Rejects with a `Refused`. */
  async check() {
    if (this.#attempt) return;
    this.applyAnswer(await this.#requests.send(SYNC, this.#since));
    this.fetchMissing();
  }

  /** Sends one request after the other until nothing is missing. Does nothing while it is already running. */
  async fetchMissing() {
    if (this.#attempt || !this.#isIncomplete) return;
    const attempt = (this.#attempt = {});
    try {
      for (let failures = 0; this.#isIncomplete;) failures = await this.#fetchOrWait(failures);
    } catch {
      // The connection is lost; the answer to the next join tells what is missing.
    } finally {
      if (this.#attempt === attempt) this.#attempt = null;
    }
  }

  /**
   * Makes one attempt, and pauses after it if it brought nothing.
   *
   * @param {number} failures in a row so far
   * @returns {Promise<number>} failures in a row now
   */
  async #fetchOrWait(failures) {
    if (failures === MAX_FAILURES) return this.#giveUp();
    const { last } = this.#history;
    const refusal = await this.#tryFetch();
    if (refusal?.reason === "lost") throw refusal;
    if (!refusal && (this.#history.last > last || !this.#isIncomplete)) return 0;
    await this.#requests.pause(jitter(refusal?.retry_after_ms ?? RETRY_MS));
    return refusal?.retry_after_ms ? failures : failures + 1;
  }

  /** @returns {Promise<Refused | undefined>} */
  async #tryFetch() {
    try {
      await (this.#hasMore ? this.#readNextPage() : this.#sync());
      return undefined;
    } catch (refusal) {
      return /** @type {Refused} */ (refusal);
    }
  }

  /** Reads the next page. It names no limit: the server's may be lower than ours, and its default is half of it. */
  async #readNextPage() {
    /** @type {Page} */
    const { messages, more } = await this.#requests.send(HISTORY, { after: this.#history.last });
    messages.forEach((message) => this.#receive(message));
    this.#hasMore = more;
  }

  async #sync() {
    this.applyAnswer(await this.#requests.send(SYNC, this.#since));
    // Nothing marks the end of the messages that follow the answer, but they all come before the next answer.
    await this.#requests.send(HISTORY, { after: this.#history.last, limit: 1 });
  }

  #giveUp() {
    if (this.#history.hasGap) this.#startOver(() => this.#history.skipGap());
    this.#hasMore = false;
    return 0;
  }

  /** @param {() => void} drop */
  #startOver(drop) {
    this.missingAfter.value ||= this.#history.last;
    drop();
  }
}
