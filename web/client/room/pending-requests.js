/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Refused} Refused */

const ANSWER_MS = 10_000;

/** What this page asks the server about a room, and waits for. No wait outlives the connection. */
export class Questions {
  /** @type {Channel | null} */
  #channel = null;
  /** @type {Set<(refusal: Refused) => void>} */
  #open = new Set();

  /** @param {Channel} channel */
  joined(channel) {
    this.#channel = channel;
  }

  lost() {
    this.#channel = null;
    this.drop();
  }

  /** Nothing that was asked so far will be answered. */
  drop() {
    this.#open.forEach((reject) => reject({ reason: "lost" }));
    this.#open.clear();
  }

  /** @param {string} event @param {object} request @returns {Promise<any>} the answer; rejects with a `Refused` */
  ask(event, request) {
    return this.#wait((resolve, reject) => {
      this.#channel
        ?.push(event, request, ANSWER_MS)
        .receive("ok", resolve)
        .receive("error", reject)
        .receive("timeout", () => reject({ reason: "timeout" }));
    });
  }

  /** @param {number} ms */
  pause(ms) {
    return this.#wait((resolve) => setTimeout(resolve, ms));
  }

  /** @param {(resolve: (answer?: any) => void, reject: (refusal: Refused) => void) => void} begin @returns {Promise<any>} */
  #wait(begin) {
    if (!this.#channel) return Promise.reject({ reason: "lost" });
    return new Promise((resolve, reject) => {
      const ends = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
        this.#open.delete(reject);
        settle(value);
      };
      this.#open.add(reject);
      begin(ends(resolve), ends(reject));
    });
  }
}
