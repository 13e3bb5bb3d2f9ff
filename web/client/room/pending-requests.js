/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Refused} Refused */

/** Same as phoenix.js's own default for a push. */
const REPLY_TIMEOUT_MS = 10_000;

/** PendingRequests sends requests on a channel. A lost connection rejects the open ones. */
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

  rejectAll() {
    this.#rejects.forEach((reject) => reject({ reason: "lost" }));
    this.#rejects.clear();
  }

  /**
   * Sends a request and waits for its reply.
   *
   * @param {string} event
   * @param {object} payload
   * @returns {Promise<any>} the reply; rejects with a `Refused`
   */
  send(event, payload) {
    return this.#wait((resolve, reject) => {
      this.#channel
        ?.push(event, payload, REPLY_TIMEOUT_MS)
        .receive("ok", resolve)
        .receive("error", reject)
        .receive("timeout", () => reject({ reason: "timeout" }));
    });
  }

  /** Waits `ms`; rejects at once when the connection is lost. @param {number} ms */
  pause(ms) {
    return this.#wait((resolve) => setTimeout(resolve, ms));
  }

  /**
   * Calls `begin` and registers its `reject` until the promise is settled.
   *
   * @param {(resolve: (reply?: any) => void, reject: (refusal: Refused) => void) => void} begin
   * @returns {Promise<any>}
   */
  #wait(begin) {
    if (!this.#channel) return Promise.reject({ reason: "lost" });
    return new Promise((resolve, reject) => {
      const unregister = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
        this.#rejects.delete(reject);
        settle(value);
      };
      this.#rejects.add(reject);
      begin(unregister(resolve), unregister(reject));
    });
  }
}
