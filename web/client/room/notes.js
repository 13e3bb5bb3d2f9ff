import { signal } from "@preact/signals";

/** @typedef {import("../messages.js").RoomNote} RoomNote */
/** @typedef {import("../messages.js").Doer} Doer */

/** With one more heard the older half goes, and is read again where it is wanted: a busy room must not grow the page. */
const MOST = 2000;

/**
 * Notes are what became of the room and its people. Pages of the past have messages only: what became of the room
 * between these is read for itself, where this page did not hear it.
 */
export class Notes {
  /** In the order of the log. Replaced, never changed. */
  list = signal(/** @type {RoomNote[]} */ ([]));
  /** The places of which all notes are held: ranges that do not touch, lowest first. @type {[number, number][]} */
  #known = [];

  // ---- Hearing

  /** Notes that the entry in a place was heard, whatever it is. @param {number} seq */
  heard(seq) {
    const last = this.#known.at(-1);
    if (last?.[1] === seq - 1) last[1] = seq;
    else this.#know(seq, seq);
  }

  /** @param {RoomNote} event */
  hear(event) {
    this.list.value = this.#with([event]);
    if (this.list.peek().length > MOST) this.#halve();
  }

  /** Forgets what an account was called: it was erased. @param {number} account */
  purge(account) {
    const isAbout = (/** @type {Doer | undefined} */ person) => person?.id === account;
    const nameless = (/** @type {any} */ person) => (isAbout(person) ? { ...person, name: "", handle: "" } : person);
    if (!this.list.peek().some(({ by, members = [] }) => isAbout(by) || members.some(isAbout))) return;
    this.list.value = this.list.peek().map(({ members, ...note }) => ({
      ...note,
      by: nameless(note.by),
      ...(members && { members: members.map(nameless) }),
    }));
  }

  /** Takes back an entry that was never saved. @param {number} seq @returns {boolean} whether it was one of these */
  drop(seq) {
    return this.#keep((event) => event.seq !== seq);
  }

  /** Forgets what an earlier epoch of the server has said above `base`. @param {number} base */
  restart(base) {
    this.#forget(([first, last]) => [first, Math.min(last, base)]);
    this.#keep(({ seq }) => seq <= base);
  }

  // ---- Reading

  /**
   * Returns the last places of a range of which the notes are to be read, or null.
   *
   * @param {number} first
   * @param {number} last
   * @returns {{first: number, last: number} | null}
   */
  missing(first, last) {
    let end = last;
    for (const [from, to] of this.#known.toReversed()) {
      if (to < end) return end < first ? null : { first: Math.max(first, to + 1), last: end };
      if (from <= end) end = from - 1;
    }
    return end < first ? null : { first, last: end };
  }

  /** Takes what became of the room in some places. @param {number} first @param {number} last @param {RoomNote[]} events */
  learn(first, last, events) {
    this.#know(first, last);
    if (events.length) this.list.value = this.#with(events);
  }

  // ---- Internal

  #halve() {
    const [begin, ...kept] = this.list.peek().slice(-MOST / 2 - 1);
    const dropped = /** @type {RoomNote} */ (begin).seq;
    this.list.value = kept;
    this.#forget(([first, last]) => [Math.max(first, dropped + 1), last]);
  }

  /** @param {RoomNote[]} events */
  #with(events) {
    const all = new Map([...this.list.peek(), ...events].map((event) => [event.seq, event]));
    return [...all.values()].sort((a, b) => a.seq - b.seq);
  }

  /** @param {number} first @param {number} last */
  #know(first, last) {
    const touches = (/** @type {[number, number]} */ [from, to]) => from <= last + 1 && to >= first - 1;
    const joined = this.#known.filter(touches).flat();
    /** @type {[number, number]} */
    const range = [Math.min(first, ...joined), Math.max(last, ...joined)];
    this.#known = [...this.#known.filter((each) => !touches(each)), range].sort((a, b) => a[0] - b[0]);
  }

  /** @param {(range: [number, number]) => [number, number]} cut */
  #forget(cut) {
    this.#known = this.#known.map(cut).filter(([first, last]) => first <= last);
  }

  /** @param {(event: RoomNote) => boolean} isKept */
  #keep(isKept) {
    const held = this.list.peek();
    const kept = held.filter(isKept);
    if (kept.length < held.length) this.list.value = kept;
    return kept.length < held.length;
  }
}
