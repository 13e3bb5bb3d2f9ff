import { signal } from "@preact/signals";

/** How long one `typing` is believed. */
const SHOWN_MS = 4000;
/** Our own is said again only after this long. */
const EVERY_MS = 2000;

/** Who is writing something, as far as heard. */
export class Typing {
  names = signal(/** @type {string[]} */ ([]));
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();
  #lastSaid = -Infinity;

  /** @param {string} name */
  heard(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
    this.#timers.set(
      name,
      setTimeout(() => this.stopped(name), SHOWN_MS),
    );
    this.#tell();
  }

  /** @param {string} name */
  stopped(name) {
    clearTimeout(this.#timers.get(name));
    if (this.#timers.delete(name)) this.#tell();
  }

  nobody() {
    [...this.#timers.keys()].forEach((name) => this.stopped(name));
  }

  /** Whether it is time to say again that we are typing. */
  due(now = Date.now()) {
    if (now - this.#lastSaid < EVERY_MS) return false;
    this.#lastSaid = now;
    return true;
  }

  /** After a message the next keystroke is news again. */
  rested() {
    this.#lastSaid = -Infinity;
  }

  #tell() {
    const names = [...this.#timers.keys()];
    if (names.join("\n") !== this.names.peek().join("\n")) this.names.value = names;
  }
}
