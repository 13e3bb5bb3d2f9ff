import { HISTORY } from "../messages.js";

/** @typedef {import("./notes.js").Notes} Notes */
/** @typedef {import("./pending-requests.js").PendingRequests} PendingRequests */
/** @typedef {import("../messages.js").EventPage} EventPage */

/** So many pages are read at once: beyond them the notes of a run that is longer are not worth it. */
const MOST_PAGES = 10;

/** NoteReader reads what became of the room between the messages that are shown. Without it they are shown all the same. */
export class NoteReader {
  #isReading = false;
  #requests;
  #notes;

  /** @param {PendingRequests} requests @param {Notes} notes */
  constructor(requests, notes) {
    this.#requests = requests;
    this.#notes = notes;
  }

  /**
   * Reads what is missing in the places that `range` returns, also if these are others by then. A failure is no matter:
   * the next call asks again.
   *
   * @param {() => {first: number, last: number}} range
   */
  async read(range) {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      for (let pages = 0; pages < MOST_PAGES && (await this.#readOne(range())); pages += 1);
    } catch {
      // The connection is lost, or the server is busy.
    } finally {
      this.#isReading = false;
    }
  }

  /** Reads a page from the end. Returns whether there was one to read. @param {{first: number, last: number}} range */
  async #readOne({ first, last }) {
    const missing = this.#notes.missing(first, last);
    if (!missing) return false;
    /** @type {EventPage} */
    const {
      events,
      more,
      next = 0,
    } = await this.#requests.send(HISTORY, {
      events: true,
      after: missing.first - 1,
      before: missing.last + 1,
    });
    this.#notes.learn(more ? next : missing.first, missing.last, events);
    return true;
  }
}
