import { signal } from "@preact/signals";

/** @typedef {import("../messages.js").RoomNote} RoomNote */

/** So many are kept: a busy room must not grow the page. */
const MOST = 200;

/** Notes are what became of the room and its people while this page heard it. Pages of the past have messages only. */
export class Notes {
  /** In the order of the log. Replaced, never changed. */
  list = signal(/** @type {RoomNote[]} */ ([]));

  /** @param {RoomNote} event */
  hear(event) {
    const others = this.list.peek().filter(({ seq }) => seq < event.seq);
    this.list.value = [...others, event].slice(-MOST);
  }

  /** Takes back an entry that was never saved. @param {number} seq @returns {boolean} whether it was one of these */
  drop(seq) {
    return this.#keep((event) => event.seq !== seq);
  }

  /** Forgets what an earlier epoch of the server has said above `base`. @param {number} base */
  restart(base) {
    this.#keep(({ seq }) => seq <= base);
  }

  /** @param {(event: RoomNote) => boolean} isKept */
  #keep(isKept) {
    const held = this.list.peek();
    const kept = held.filter(isKept);
    if (kept.length < held.length) this.list.value = kept;
    return kept.length < held.length;
  }
}
