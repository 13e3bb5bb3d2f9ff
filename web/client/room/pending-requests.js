/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Refused} Refused */

const REPLY_TIMEOUT_MS = 10_000;

/** What this page asks the server about a room, and waits for. No wait outlives the connection. */
export class PendingRequests {
  /** @type {Channel | null} */
  #channel = null;
  /** @type {Set<(refusal: Refused) => void>} */
  #rejects = new Set();

  /** @param {Channel} channel */
  joined(channel) {
    this.#channel = channel;
  }

  disconnected() {
    this.#channel = null;
    this.rejectAll();
  }

  /** Nothing that was asked so far will be answered. */
  rejectAll() {
    this.#rejects.forEach((reject) => reject({ reason: "lost" }));
    this.#rejects.clear();
  }

  /** @param {string} event @param {object} payload @returns {Promise<any>} the answer; rejects with a `Refused` */
  send(event, payload) {
    return this.#wait((resolve, reject) => {
      this.#channel
        ?.push(event, payload, REPLY_TIMEOUT_MS)
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
      const settleOnce = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
        this.#rejects.delete(reject);
        settle(value);
      };
      this.#rejects.add(reject);
      begin(settleOnce(resolve), settleOnce(reject));
    });
  }
}
