import { jitter } from "../connection.js";
import { MAX_SEQS } from "../messages.js";
import { RequestLoop } from "./request-loop.js";

/** @typedef {import("./pages.js").Pages} Pages */
/** @typedef {import("./rows.js").Rows} Rows */
/** @typedef {import("../messages.js").Refused} Refused */

/** Follows a failure without `retry_after_ms`. */
const RETRY_MS = 2000;
/** After so many failures nothing is asked for until something else is wanted, or the next join. */
const MAX_FAILURES = 3;

/** RowReader reads single messages: those that are stale, and those that are quoted and not held. */
export class RowReader {
  /** @type {Set<number>} */
  #wanted = new Set();
  #loop = new RequestLoop();
  #pages;
  #rows;

  /** @param {Pages} pages @param {Rows} rows */
  constructor(pages, rows) {
    this.#pages = pages;
    this.#rows = rows;
  }

  /** Reads messages with the others that are asked for in the same turn. @param {number[]} seqs */
  want(seqs) {
    for (const seq of seqs) this.#wanted.add(seq);
    queueMicrotask(() => this.readMissing());
  }

  /** Sends one request after the other until nothing is wanted. */
  readMissing() {
    let failures = 0;
    return this.#loop.run(
      () => this.#next().length > 0,
      async () => {
        failures = await this.#readOrWait(failures);
      },
    );
  }

  /** The answers that were on their way are lost: the next join asks again. */
  disconnected() {
    this.#loop.abandon();
  }

  // ---- Internal

  /**
   * Returns what the next request asks for. What another page has brought meanwhile is wanted no more, and what was not
   * heard yet comes by itself, unless a crash of the server has made it void.
   */
  #next() {
    for (const seq of this.#rows.stale) this.#wanted.add(seq);
    for (const seq of this.#wanted) if (!this.#rows.isWanted(seq)) this.#wanted.delete(seq);
    return [...this.#wanted].slice(0, MAX_SEQS);
  }

  /**
   * Makes one attempt, and pauses after it if it brought nothing.
   *
   * @param {number} failures in a row so far
   * @returns {Promise<number>} failures in a row now
   */
  async #readOrWait(failures) {
    const seqs = this.#next();
    const refusal = await this.#tryRead(seqs);
    if (refusal?.reason === "lost") throw refusal;
    if (!refusal && !seqs.every((seq) => this.#rows.isWanted(seq))) return 0;
    if (refusal && refusal.retry_after_ms === undefined && failures === MAX_FAILURES) throw refusal;
    // A page that is older than what was heard brings nothing yet: the database is behind.
    await this.#pages.pause(jitter(refusal?.retry_after_ms ?? RETRY_MS * Math.min(failures + 1, 15)));
    return failures + (refusal?.retry_after_ms ? 0 : 1);
  }

  /** @param {number[]} seqs @returns {Promise<Refused | undefined>} */
  async #tryRead(seqs) {
    try {
      const { messages, as_of = Infinity, more } = await this.#pages.read({ seqs });
      const found = messages.filter((message) => !message.void).map(({ seq }) => seq);
      const end = more ? Math.max(0, ...found) : Infinity; // a page that would be too large ends early
      const missing = seqs.filter((seq) => seq <= end && !found.includes(seq));
      this.#rows.notFound(missing, as_of);
      return undefined;
    } catch (refusal) {
      return /** @type {Refused} */ (refusal);
    }
  }
}
