import { computed } from "@preact/signals";

/** @typedef {import("../messages.js").Row} Row */
/** @typedef {import("./rows.js").Rows} Rows */
/** @template T @typedef {import("@preact/signals").ReadonlySignal<T>} ReadonlySignal */

/** Quotes are single messages that are shown wherever they are: those that others answer. */
export class Quotes {
  /** By seq. @type {Map<number, ReadonlySignal<Row | undefined | null>>} */
  #quotes = new Map();
  #rows;
  #want;

  /** @param {Rows} rows @param {(seqs: number[]) => void} want has messages read */
  constructor(rows, want) {
    this.#rows = rows;
    this.#want = want;
  }

  /** @param {number} seq */
  has(seq) {
    return this.#quotes.has(seq);
  }

  /**
   * Returns a message, and has it read if it is not held. Reads a signal.
   *
   * @param {number} seq
   * @returns {Row | undefined | null} undefined while it is read, null where there is none
   */
  of(seq) {
    const quote = this.#quotes.get(seq) ?? computed(() => this.#find(seq));
    this.#quotes.set(seq, quote);
    if (this.#rows.isWanted(seq)) this.#want([seq]);
    return quote.value;
  }

  /** @param {number} seq */
  #find(seq) {
    this.#rows.version.value; // it may come, change and go
    return this.#rows.shown(seq) ?? (this.#rows.isAbsent(seq) ? null : undefined);
  }
}
