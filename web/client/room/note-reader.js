import { HISTORY } from "../messages.js";
import { RequestLoop } from "./request-loop.js";

/** @typedef {import("./notes.js").Notes} Notes */
/** @typedef {import("./pending-requests.js").PendingRequests} PendingRequests */
/** @typedef {import("../messages.js").EventPage} EventPage */

/** So many pages are read at once: beyond them the notes of a run that is longer are not worth it. */
const MOST_PAGES = 10;

/** NoteReader reads what became of the room between the messages that are shown. Without it they are shown all the same. */
export class NoteReader {
  #loop = new RequestLoop();
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
  read(range) {
    let pages = 0;
    return this.#loop.run(
      () => pages < MOST_PAGES && this.#missing(range()) !== null,
      () => {
        pages += 1;
        return this.#readFromEnd(range());
      },
    );
  }

  /** @param {{first: number, last: number}} range */
  #missing({ first, last }) {
    return this.#notes.missing(first, last);
  }

  /** Reads the last page of what is missing. @param {{first: number, last: number}} range */
  async #readFromEnd(range) {
    const missing = /** @type {{first: number, last: number}} */ (this.#missing(range));
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
  }
}
