import { HISTORY } from "../messages.js";

/** @typedef {import("../messages.js").Page} Page */
/** @typedef {import("../messages.js").ReadHistory} ReadHistory */
/** @typedef {import("./pending-requests.js").PendingRequests} PendingRequests */
/** @typedef {import("./rows.js").Rows} Rows */

/** Pages reads pages of messages into `Rows`. */
export class Pages {
  #requests;
  #rows;

  /** @param {PendingRequests} requests @param {Rows} rows */
  constructor(requests, rows) {
    this.#requests = requests;
    this.#rows = rows;
  }

  /**
   * Reads one page. It names no limit: the server's may be lower than ours, and its default is half of it.
   *
   * @param {ReadHistory} request
   * @returns {Promise<Page>} rejects with a `Refused`
   */
  async read(request) {
    /** @type {Page} */
    const page = await this.#requests.send(HISTORY, request);
    this.#rows.take(page.messages, page.as_of);
    return page;
  }

  /** Waits `ms`; rejects at once when the connection is lost. @param {number} ms */
  pause(ms) {
    return this.#requests.pause(ms);
  }
}
