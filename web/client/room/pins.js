import { computed, signal } from "@preact/signals";
import { explain } from "../messages.js";

/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {import("../messages.js").RoomEvent} RoomEvent */
/** @typedef {import("./pages.js").Pages} Pages */
/** @typedef {import("./rows.js").Rows} Rows */

/** Pins are the pinned messages of a room, once somebody has asked for them. */
export class Pins {
  isLoading = signal(false);
  /** Why they could not be read; empty if all is well. */
  why = signal("");
  /** All of them are among the messages held. */
  isRead = false;
  /** The latest pinned first. */
  rows = computed(() => {
    this.#rows.version.value;
    return this.#rows.allShown(this.#rows.pinned).sort(byPin);
  });
  #pages;
  #rows;

  /** @param {Pages} pages @param {Rows} rows */
  constructor(pages, rows) {
    this.#pages = pages;
    this.#rows = rows;
  }

  /** @param {number} seq */
  has(seq) {
    return this.isRead && this.#rows.get(seq)?.pinned_at !== undefined;
  }

  /** Reads them, the first time or again. */
  async load() {
    if (this.isLoading.peek()) return;
    this.isLoading.value = true;
    try {
      await this.#readAll();
      this.isRead = true;
      this.why.value = "";
    } catch (refusal) {
      this.why.value = explain(/** @type {Refused} */ (refusal));
    } finally {
      this.isLoading.value = false;
    }
  }

  /** Reads page after page: long messages are too much for one. */
  async #readAll() {
    let { messages, more } = await this.#pages.read({ pinned: true });
    while (more && messages.length) {
      const { seq } = /** @type {Posted} */ (messages.at(-1));
      ({ messages, more } = await this.#pages.read({ pinned: true, before: seq }));
    }
  }

  /** Has a message read that was pinned and is not held. @param {RoomEvent} event @param {(seqs: number[]) => void} want */
  noteEvent({ kind, target }, want) {
    const isKnown = this.isRead || this.isLoading.peek(); // the page on its way may be from before
    if (isKnown && kind === "pin" && target && !this.#rows.get(target)) want([target]);
  }
}

/** @param {import("../messages.js").Row} a @param {import("../messages.js").Row} b */
function byPin(a, b) {
  return (b.pinned_at ?? "").localeCompare(a.pinned_at ?? "") || b.seq - a.seq;
}
