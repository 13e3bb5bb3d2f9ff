import { signal } from "@preact/signals";

/** How long one `typing` is believed. */
const SHOWN_MS = 4000;
/** Our own is said again only after this long. */
const SEND_EVERY_MS = 2000;

/** Who is writing something, as far as heard. */
export class Typing {
  names = signal(/** @type {string[]} */ ([]));
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();
  #lastSent = -Infinity;

  /** @param {string} name */
  add(name) {
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

  clear() {
    [...this.#timers.keys()].forEach((name) => this.remove(name));
  }

  /** Whether it is time to say again that we are typing. */
  isDue(now = Date.now()) {
    return now - this.#lastSent >= SEND_EVERY_MS;
  }

  sent(now = Date.now()) {
    this.#lastSent = now;
  }

  /** After a message the next keystroke is news again. */
  reset() {
    this.#lastSent = -Infinity;
  }

  #update() {
    const names = [...this.#timers.keys()];
    if (names.join("\n") !== this.names.peek().join("\n")) this.names.value = names;
  }
}
