import { signal } from "@preact/signals";
import { jitter } from "../connection.js";
import { HISTORY, SYNC } from "../messages.js";
import { RequestLoop } from "./request-loop.js";

/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").RecoveryAnswer} RecoveryAnswer */
/** @typedef {import("../messages.js").Refused} Refused */

/**
 * @typedef {object} RecoveringRoom what Recovery needs of its room
 * @property {import("./history.js").History} history
 * @property {import("./rows.js").Rows} rows
 * @property {import("./pages.js").Pages} pages
 * @property {import("./pending-requests.js").PendingRequests} requests
 * @property {(messages: Posted[]) => void} found is called with the messages of each page
 */

/** Follows a failure without `retry_after_ms`: the database or the room needs a moment. */
const RETRY_MS = 2000;
/** After so many failures new messages matter more than the missing ones. */
const MAX_FAILURES = 3;

/**
 * Recovery fetches what this page missed.
 *
 * A join carries our position; the server's answer says what is void, what follows, and whether that is all. Too many
 * entries do not follow: then the messages that they have changed are read instead. A gap that opens later is closed by
 * `sync`. docs/delivery.md has the rules.
 */
export class Recovery {
  /** The seq above which messages are missing that were dropped; 0 if none are. */
  missingAfter = signal(0);
  /** All that was said before the last join is held, apart from what is dropped. */
  hasCaughtUp = signal(false);
  #hasLoaded = false; // what follows the answer to the join has come
  /** @type {number | undefined} the server's epoch when it sent what is held */
  #epoch;
  #hasMore = false; // the missed entries did not follow the answer
  #resyncDue = false; // the server has dropped messages
  /** What was changed since our position, as far as it is read. @type {Posted[]} */
  #changed = [];
  /** Where the next page of it begins. @type {number} */
  #next = 0;
  /** What the pages of it show, which grows from page to page. */
  #asOf = 0;
  /** The newest place of the room, as the last answer said it. */
  #newest = 0;
  #loop = new RequestLoop();
  #room;

  /** @param {RecoveringRoom} room */
  constructor(room) {
    this.#room = room;
  }

  /**
   * Our position for the next join. Empty while nothing is held: then the server sends the newest messages.
   *
   * @returns {import("../messages.js").Position}
   */
  get position() {
    return this.#room.history.last ? this.#since : {};
  }

  get #since() {
    return { since: this.#room.history.last, epoch: this.#epoch };
  }

  get #isIncomplete() {
    return this.#hasMore || this.#resyncDue || this.#room.history.hasGap;
  }

  // ---- Events

  /** Applies the answer to a join; what was missed follows it. @param {RecoveryAnswer} answer */
  joined(answer) {
    this.#room.rows.rejoin();
    this.#applyAnswer(answer, this.#room.history.last > 0);
  }

  /** The join has brought all that follows its answer. */
  loaded() {
    this.#hasLoaded = true;
    this.#room.history.greeted();
    this.fetchMissing();
  }

  /** Starts over: the server has dropped messages and answers that it had for us. */
  resynced() {
    this.#resyncDue = true;
    this.#loop.abandon();
    this.fetchMissing();
  }

  /**
   * A place is void. What was read page by page is read anew: a message that it had touched has its place before that.
   *
   * @param {boolean} hadAhead what came ahead of a gap was dropped with it, and is to be sent again
   */
  voided(hadAhead) {
    this.#readFromStart();
    this.#resyncDue ||= hadAhead;
    this.fetchMissing();
  }

  /** Clears `missingAfter` if the older messages that were loaded reach back to it. */
  olderLoaded() {
    if (this.#room.history.first <= this.missingAfter.peek() + 1) this.missingAfter.value = 0;
  }

  /** Drops what came ahead of a gap: it comes again with the next join. */
  disconnected() {
    this.#hasLoaded = false;
    this.hasCaughtUp.value = false;
    this.#loop.abandon();
    this.#room.history.dropAhead();
  }

  // ---- Fetching

  /** Asks whether messages are missing of which no gap tells. Rejects with a `Refused`. */
  async check() {
    if (this.#loop.isRunning) return;
    await this.#ask();
    if (this.#room.history.isGreeted) await this.#hearAll();
    this.fetchMissing();
  }

  /** Sends one request after the other until nothing is missing; the answer to a join tells what that is. */
  async fetchMissing() {
    let failures = 0;
    await this.#loop.run(
      () => this.#isIncomplete,
      async () => {
        failures = await this.#fetchOrWait(failures);
      },
    );
    if (this.#hasLoaded && !this.#isIncomplete) this.hasCaughtUp.value = true;
  }

  /**
   * Makes one attempt, and pauses after it if it brought nothing.
   *
   * @param {number} failures in a row so far
   * @returns {Promise<number>} failures in a row now
   */
  async #fetchOrWait(failures) {
    if (failures === MAX_FAILURES) return this.#giveUp();
    const before = this.#reached;
    const refusal = await this.#tryFetch();
    if (refusal?.reason === "lost") throw refusal;
    if (!refusal && (this.#reached > before || !this.#isIncomplete)) return 0;
    await this.#room.requests.pause(jitter(refusal?.retry_after_ms ?? RETRY_MS));
    return refusal?.retry_after_ms ? failures : failures + 1;
  }

  /** How far the messages are read that are missing. */
  get #reached() {
    return Math.max(this.#room.history.last, this.#next);
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

  /** Reads the next page of what was changed. Our position stays until all of it is read: then it is that of the last page. */
  async #readNextPage() {
    const after = this.#next || this.#room.history.last;
    const changed = this.#changed;
    const { messages, more, next, as_of = Infinity } = await this.#room.pages.read({ after });
    if (changed !== this.#changed) return; // it began anew meanwhile
    if (as_of < this.#asOf) return this.#readFromStart(); // a message may stand before the place where it was looked for
    this.#asOf = as_of;
    this.#changed.push(...messages);
    this.#next = next ?? messages.at(-1)?.seq ?? after; // what has changed at once is on one page
    this.#hasMore = more;
    if (!more) this.#caughtUp(Number.isFinite(as_of) ? as_of : this.#next);
    this.#room.found(messages);
  }

  #readFromStart() {
    this.#changed = [];
    this.#next = 0;
    this.#asOf = 0;
  }

  /** Goes on at `seq`. The newest entries may not be committed yet, and are in no page then. @param {number} seq */
  #caughtUp(seq) {
    const { history } = this.#room;
    history.skipTo(this.#changed, seq);
    this.#resyncDue = history.last < this.#newest;
  }

  async #sync() {
    await this.#ask();
    await this.#hearAll();
  }

  async #ask() {
    this.#applyAnswer(await this.#room.requests.send(SYNC, this.#since), true);
  }

  /** Waits for what follows an answer. Nothing marks its end, but all of it comes before the next answer. */
  async #hearAll() {
    await this.#room.requests.send(HISTORY, { before: 1, limit: 1 });
    this.#room.history.greeted();
  }

  /** @param {RecoveryAnswer} answer @param {boolean} hadPosition */
  #applyAnswer({ epoch, seq, base, recovered, more }, hadPosition) {
    const { history, rows } = this.#room;
    const isSame = epoch === this.#epoch;
    this.#epoch = epoch; // first: who follows the history reads both
    if (!recovered || !hadPosition) this.#startOver(() => history.greet(seq));
    else if (!isSame) {
      rows.restart(base);
      history.dropAbove(base);
    }
    this.#newest = seq;
    this.#readFromStart();
    this.#hasMore = more;
    this.#resyncDue = false;
  }

  #giveUp() {
    if (this.#room.history.hasGap) this.#startOver(() => this.#room.history.skipGap());
    this.#hasMore = false;
    return 0;
  }

  /** @param {() => void} drop */
  #startOver(drop) {
    this.missingAfter.value ||= this.#room.history.last;
    drop();
  }
}
