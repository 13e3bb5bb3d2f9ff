import { jitter } from "../connection.js";
import { REACTIONS } from "../messages.js";
import { RequestLoop } from "./request-loop.js";

/** @typedef {import("./pending-requests.js").PendingRequests} PendingRequests */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Reactors} ReactorsAnswer */
/** @typedef {import("../messages.js").Refused} Refused */

/**
 * @typedef {object} ReactingRoom what Reactors needs of its room
 * @property {() => string} name returns what this person is called in reactions; empty if they only listen
 * @property {(seq: number) => Posted | undefined} row returns a message that is held
 * @property {(seq: number) => void} redraw shows a message anew
 */

/**
 * Reactors knows whether this person is among many who have reacted: messages come with the names of the first ten.
 *
 * Own reactions are heard as they come. Those from before this page are asked for, one after the other, each once in a
 * connection: while that is lost, another page of this person may react.
 */
export class Reactors {
  /** By seq and emoji. @type {Map<number, Map<string, boolean>>} */
  #known = new Map();
  /** The pairs of seq and emoji of which the answer is known, or will be. @type {Set<string>} */
  #asked = new Set();
  /** Those that are still to be asked for. @type {Map<string, [seq: number, key: string]>} */
  #wanted = new Map();
  #loop = new RequestLoop();
  #requests;
  #room;

  /** @param {PendingRequests} requests @param {ReactingRoom} room */
  constructor(requests, room) {
    this.#requests = requests;
    this.#room = room;
  }

  /** Whether this person has reacted to a message, as far as is known; has it asked where that is not. @param {Posted} row @param {string} key */
  has(row, key) {
    const { names = [] } = row.reactions?.[key] ?? {};
    if (names.includes(this.#room.name())) return true;
    if (!isBeyondNames(row, key)) return false;
    this.#want(row.seq, key);
    return this.#known.get(row.seq)?.get(key) ?? false;
  }

  /** Notes whether this person has reacted. @param {number} seq @param {string} key @param {boolean} has */
  note(seq, key, has) {
    this.#known.set(seq, (this.#known.get(seq) ?? new Map()).set(key, has));
    this.#asked.add(pairOf(seq, key));
    this.#wanted.delete(pairOf(seq, key));
  }

  /** Notes who reacted. @param {import("../messages.js").RoomEvent} event */
  noteEvent({ target = 0, key = "", add = [], remove = [] }) {
    const name = this.#room.name();
    if (add.includes(name)) this.note(target, key, true);
    if (remove.includes(name)) this.note(target, key, false);
  }

  /** Reads who has reacted to a message. @param {number} seq @param {string} key @returns {Promise<ReactorsAnswer>} rejects with a `Refused` */
  read(seq, key) {
    const name = this.#room.name();
    return this.#requests.send(REACTIONS, { seq, key, ...(name && { name }) });
  }

  /** Asks for what is wanted until nothing is. */
  readMissing() {
    return this.#loop.run(
      () => this.#next() !== undefined,
      () => this.#askNext(),
    );
  }

  /** The answer that was on its way is lost: the next join asks again, also for messages that have changed meanwhile. */
  disconnected() {
    this.#loop.abandon();
    this.doubt();
  }

  /** Asks again for messages that are shown anew: something was taken back. */
  doubt() {
    this.#asked.clear();
  }

  /** Forgets all: this person has another name. */
  forget() {
    this.doubt();
    this.#known.clear();
    this.#wanted.clear();
  }

  // ---- Internal

  /** @param {number} seq @param {string} key */
  #want(seq, key) {
    const pair = pairOf(seq, key);
    if (!this.#room.name() || this.#asked.has(pair)) return;
    this.#asked.add(pair);
    this.#wanted.set(pair, [seq, key]);
    queueMicrotask(() => this.readMissing());
  }

  /** Returns what was wanted last, as it is what the person looks at; without what needs no answer any more. */
  #next() {
    for (const [pair, [seq, key]] of this.#wanted) {
      const row = this.#room.row(seq);
      if (row && isBeyondNames(row, key)) continue;
      this.#wanted.delete(pair);
      this.#asked.delete(pair);
    }
    return [...this.#wanted.values()].at(-1);
  }

  async #askNext() {
    const [seq, key] = /** @type {[number, string]} */ (this.#next());
    const pair = pairOf(seq, key);
    try {
      const { mine } = await this.read(seq, key);
      if (!this.#wanted.has(pair)) return; // it was heard meanwhile
      this.note(seq, key, mine);
      this.#room.redraw(seq);
    } catch (caught) {
      const refusal = /** @type {Refused} */ (caught);
      if (refusal.reason === "lost") throw refusal;
      if (refusal.retry_after_ms === undefined) this.#wanted.delete(pair);
      else await this.#requests.pause(jitter(refusal.retry_after_ms));
    }
  }
}

/** Whether more people have reacted than are named. @param {Posted} row @param {string} key */
function isBeyondNames({ reactions }, key) {
  const { count = 0, names = [] } = reactions?.[key] ?? {};
  return count > names.length;
}

/** @param {number} seq @param {string} key */
function pairOf(seq, key) {
  return `${seq} ${key}`;
}
