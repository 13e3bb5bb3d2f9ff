import { signal } from "@preact/signals";
import { HISTORY, SYNC } from "../messages.js";
import { jitter } from "../connection.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./pending-requests.js").Questions} Questions */
/** @typedef {import("../messages.js").Page} Page */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").RecoveryAnswer} RecoveryAnswer */
/** @typedef {import("../messages.js").Refused} Refused */

const RETRY_MS = 2000;
/** After so many vain attempts to fill a gap, new messages matter more than the missing ones. */
const TRIES = 3;

/**
 * How the page gets what it missed. At a join it tells how far it has heard, and the server decides what is void, what
 * follows, and whether that is all; a gap that opens later is closed by `sync`. docs/delivery.md has the rules.
 */
export class Recovery {
  /** All was dropped that was held up to this seq; what was said after it is not all loaded. 0 once it is, or was not. */
  missingAfter = signal(0);
  /** @type {number | undefined} the server's, when it said what is held */
  #epoch;
  #more = false; // what followed the answer was not all
  #behind = false; // the server has dropped something
  /** @type {object | null} the attempt to fill a gap that is under way */
  #attempt = null;
  #history;
  #questions;
  #hear;

  /** @param {History} history @param {Questions} questions @param {(message: Posted) => void} hear tells the room, and by it the history */
  constructor(history, questions, hear) {
    this.#history = history;
    this.#questions = questions;
    this.#hear = hear;
  }

  /** How far the room was heard, for the next join. Nothing where nothing is held: then the newest are wanted. */
  get position() {
    return this.#history.last ? this.#since : {};
  }

  get #since() {
    return { since: this.#history.last, epoch: this.#epoch };
  }

  get #misses() {
    return this.#more || this.#behind || this.#history.hasGap;
  }

  /** The answer to a join or a `sync`; what was missed follows it. @param {RecoveryAnswer} answer */
  take({ epoch, base, recovered, more }) {
    if (!recovered) this.#startOver(() => this.#history.clear());
    else if (epoch !== this.#epoch) this.#history.dropAbove(base);
    this.#epoch = epoch;
    this.#more = more;
    this.#behind = false;
  }

  /** The server has dropped what it had for us: neither messages nor answers will come. */
  resync() {
    this.#behind = true;
    this.#attempt = null;
    this.check();
  }

  /** Older messages were loaded. */
  readBack() {
    if (this.#history.first <= this.missingAfter.peek() + 1) this.missingAfter.value = 0;
  }

  /** What came ahead comes again with the next join. */
  lost() {
    this.#attempt = null;
    this.#history.dropAhead();
  }

  /** If something is missing, fetch it: one question at a time, until nothing is. */
  async check() {
    if (this.#attempt || !this.#misses) return;
    const attempt = (this.#attempt = {});
    try {
      for (let vain = 0; this.#misses;) vain = await this.#next(vain);
    } catch {
      // The connection is lost; the next join tells anew what is missing.
    } finally {
      if (this.#attempt === attempt) this.#attempt = null;
    }
  }

  /** @param {number} vain attempts so far @returns {Promise<number>} and now */
  async #next(vain) {
    if (vain === TRIES) return this.#skip();
    const { last } = this.#history;
    const refusal = await this.#step();
    if (refusal?.reason === "lost") throw refusal;
    if (!refusal && (this.#history.last > last || !this.#misses)) return 0;
    await this.#questions.pause(jitter(refusal?.retry_after_ms ?? RETRY_MS));
    return refusal?.retry_after_ms ? vain : vain + 1;
  }

  /** @returns {Promise<Refused | undefined>} */
  async #step() {
    try {
      await (this.#more ? this.#readOn() : this.#sync());
      return undefined;
    } catch (refusal) {
      return /** @type {Refused} */ (refusal);
    }
  }

  /** No limit is named, since the server's may be lower than we think; it takes half of that. */
  async #readOn() {
    /** @type {Page} */
    const { messages, more } = await this.#questions.ask(HISTORY, { after: this.#history.last });
    messages.forEach((message) => this.#hear(message));
    this.#more = more;
  }

  async #sync() {
    this.take(await this.#questions.ask(SYNC, this.#since));
    // Nothing marks the end of what follows the answer; but it is in when the next answer is.
    await this.#questions.ask(HISTORY, { after: this.#history.last, limit: 1 });
  }

  #skip() {
    if (this.#history.hasGap) this.#startOver(() => this.#history.skip());
    this.#more = false;
    return 0;
  }

  /** @param {() => void} drop */
  #startOver(drop) {
    this.missingAfter.value ||= this.#history.last;
    drop();
  }
}
