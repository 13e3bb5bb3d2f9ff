import { signal } from "@preact/signals";
import { HISTORY, SYNC } from "../messages.js";
import { jitter } from "../connection.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./pending-requests.js").PendingRequests} PendingRequests */
/** @typedef {import("../messages.js").Page} Page */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").RecoveryAnswer} RecoveryAnswer */
/** @typedef {import("../messages.js").Refused} Refused */

const RETRY_MS = 2000;
/** After so many failures to fill a gap, new messages matter more than the missing ones. */
const MAX_FAILURES = 3;

/**
 * How the page gets what it missed. At a join it tells how far it has heard, and the server decides what is void, what
 * follows, and whether that is all; a gap that opens later is closed by `sync`. docs/delivery.md has the rules.
 */
export class Recovery {
  /** All was dropped that was held up to this seq; what was said after it is not all loaded. 0 once it is, or was not. */
  missingAfter = signal(0);
  /** @type {number | undefined} the server's, when it said what is held */
  #epoch;
  #hasMore = false; // what followed the answer was not all
  #resyncDue = false; // the server has dropped something
  /** @type {object | null} the attempt to fill a gap that is under way */
  #attempt = null;
  #history;
  #requests;
  #receive;

  /** @param {History} history @param {PendingRequests} requests @param {(message: Posted) => void} receive tells the room, and by it the history */
  constructor(history, requests, receive) {
    this.#history = history;
    this.#requests = requests;
    this.#receive = receive;
  }

  /** How far the room was heard, for the next join. Nothing where nothing is held: then the newest are wanted. */
  get position() {
    return this.#history.last ? this.#since : {};
  }

  get #since() {
    return { since: this.#history.last, epoch: this.#epoch };
  }

  get #isIncomplete() {
    return this.#hasMore || this.#resyncDue || this.#history.hasGap;
  }

  /** The answer to a join or a `sync`; what was missed follows it. @param {RecoveryAnswer} answer */
  applyAnswer({ epoch, base, recovered, more }) {
    if (!recovered) this.#startOver(() => this.#history.clear());
    else if (epoch !== this.#epoch) this.#history.dropAbove(base);
    this.#epoch = epoch;
    this.#hasMore = more;
    this.#resyncDue = false;
  }

  /** The server has dropped what it had for us: neither messages nor answers will come. */
  resynced() {
    this.#resyncDue = true;
    this.#attempt = null;
    this.fetchMissing();
  }

  /** Older messages were loaded. */
  olderLoaded() {
    if (this.#history.first <= this.missingAfter.peek() + 1) this.missingAfter.value = 0;
  }

  /** What came ahead comes again with the next join. */
  disconnected() {
    this.#attempt = null;
    this.#history.dropAhead();
  }

  /** If something is missing, fetch it: one question at a time, until nothing is. */
  async fetchMissing() {
    if (this.#attempt || !this.#isIncomplete) return;
    const attempt = (this.#attempt = {});
    try {
      for (let failures = 0; this.#isIncomplete;) failures = await this.#fetchOrWait(failures);
    } catch {
      // The connection is lost; the next join tells anew what is missing.
    } finally {
      if (this.#attempt === attempt) this.#attempt = null;
    }
  }

  /** @param {number} failures attempts so far @returns {Promise<number>} and now */
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

  /** No limit is named, since the server's may be lower than we think; it takes half of that. */
  async #readNextPage() {
    /** @type {Page} */
    const { messages, more } = await this.#requests.send(HISTORY, { after: this.#history.last });
    messages.forEach((message) => this.#receive(message));
    this.#hasMore = more;
  }

  async #sync() {
    this.applyAnswer(await this.#requests.send(SYNC, this.#since));
    // Nothing marks the end of what follows the answer; but it is in when the next answer is.
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
