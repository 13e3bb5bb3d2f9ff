import { signal } from "@preact/signals";

/** How long a name is shown: twice `SEND_EVERY_MS`, so that a late event makes no gap. */
const SHOWN_MS = 4000;
/** The page names up to three people; a crowd that types must not cost more the larger it is. */
const MAX_NAMES = 4;
/** Changes after which somebody cannot write. @type {import("../messages.js").MemberChange[]} */
const SILENCED = ["left", "removed", "banned", "muted"];
/** At most one `typing` of our own in this time. */
const SEND_EVERY_MS = 2000;

/** Typing lists the people who are writing and limits how often we say that we are. */
export class Typing {
  names = signal(/** @type {string[]} */ ([]));
  /** @type {Map<string, ReturnType<typeof setTimeout>>} by name */
  #timers = new Map();
  #lastSent = -Infinity;

  // ---- The others

  /** Takes a name in. Beyond `MAX_NAMES` the others are not listed. @param {string} name */
  add(name) {
    if (this.#timers.size >= MAX_NAMES && !this.#timers.has(name)) return;
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    this.#timers.set(
      name,
      setTimeout(() => this.remove(name), SHOWN_MS),
    );
    this.#update();
  }

  /** @param {string} name */
  remove(name) {
    clearTimeout(this.#timers.get(name));
    if (this.#timers.delete(name)) this.#update();
  }

  /** Takes out whom an entry keeps from writing. @param {import("../messages.js").RoomNote} event */
  hear({ change, members = [], set }) {
    if (set?.archived || set?.settings) this.clear(); // who may still write says so again
    if (change && SILENCED.includes(change)) members.forEach(({ name }) => this.remove(name));
  }

  clear() {
    [...this.#timers.keys()].forEach((name) => this.remove(name));
  }

  // ---- Ourselves

  isDue(now = Date.now()) {
    return now - this.#lastSent >= SEND_EVERY_MS;
  }

  sent(now = Date.now()) {
    this.#lastSent = now;
  }

  /** Makes the next keystroke due, as it is news again after a message. */
  reset() {
    this.#lastSent = -Infinity;
  }

  // ---- Internal

  #update() {
    const names = [...this.#timers.keys()];
    if (names.join("\n") !== this.names.peek().join("\n")) this.names.value = names;
  }
}
