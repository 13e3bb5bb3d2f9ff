import { jitter } from "../connection.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Acknowledged} Acknowledged */
/** @typedef {import("../messages.js").Refused} Refused */

/**
 * @typedef {object} Answers what is called with the server's answer, or without one
 * @property {(acknowledged: Acknowledged) => void} acknowledged
 * @property {(refusal: Refused) => void} refused
 * @property {() => void} unanswered
 */

/** The server may wait for its database until then. After that a request is sent again. */
const REPLY_TIMEOUT_MS = 60_000;

/** Sender pushes a room's requests, and none while the room is not joined or the server wants us to wait. */
export class Sender {
  /** @type {Channel | null} null while the room is not joined */
  #channel = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} runs while the server wants us to wait */
  #pauseTimer;
  #resume;

  /** @param {() => void} resume sends what waits, at the end of a pause */
  constructor(resume) {
    this.#resume = resume;
  }

  get mayPush() {
    return this.#channel !== null && this.#pauseTimer === undefined;
  }

  /** @param {Channel} channel */
  joined(channel) {
    this.#channel = channel;
  }

  disconnected() {
    this.#channel = null;
    this.#endPause();
  }

  /** @param {string} event @param {object} payload @param {Answers} answers */
  push(event, payload, { acknowledged, refused, unanswered }) {
    this.#channel
      ?.push(event, payload, REPLY_TIMEOUT_MS)
      .receive("ok", acknowledged)
      .receive("error", refused)
      .receive("timeout", unanswered);
  }

  /** Pushes nothing for about `ms`. @param {number} ms */
  pauseFor(ms) {
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => {
      this.#endPause();
      this.#resume();
    }, jitter(ms));
  }

  #endPause() {
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = undefined;
  }
}
