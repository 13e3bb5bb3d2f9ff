/** Polling: the fallback for networks that let no websocket through. */

import { effect } from "@preact/signals";
import { LongPoll, Socket } from "phoenix";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./room/room.js").Room} Room */

/**
 * Polls that wait in the server at once, of all tabs of a browser. It opens six connections to one server; the other
 * two carry posts and new pages, which would wait behind the polls otherwise.
 */
const TURNS = 4;
/** Turns that hidden tabs may take. The others are for what the person looks at. */
const HIDDEN_TURNS = 2;
/** A websocket that does not answer within this time does not get through. */
const ANSWER_MS = 4000;
/** How often a room without news is compared with the server. phoenix.js sends no heartbeat while it polls. */
const CHECK_MS = 15_000;
/** A request that shows whether a websocket carries anything. */
const HEARTBEAT = '[null,"1","phoenix","heartbeat",{}]';

/** phoenix.js's own types leave out what is overridden here. @type {any} */
const BasePoll = LongPoll;

/** SharedPoll is phoenix.js's long poll, but each poll waits for its turn among those of this browser's tabs. */
class SharedPoll extends BasePoll {
  #stopping = new AbortController();

  /**
   * @param {string} method
   * @param {object} headers
   * @param {string | null} body
   * @param {() => void} onTimeout
   * @param {(answer: any) => void} onAnswer
   */
  ajax(method, headers, body, onTimeout, onAnswer) {
    const send = (/** @type {() => void} */ end) => {
      const andEnd = (/** @type {(answer?: any) => void} */ act) => (/** @type {any} */ answer) => {
        end();
        act(answer);
      };
      super.ajax(method, headers, body, andEnd(onTimeout), andEnd(onAnswer));
    };
    // The first one opens a session, which is answered at once.
    if (method === "GET" && this.token) takeTurn(this.#stopping.signal, send);
    else send(() => {});
  }

  /** @param {number} readyState */
  stop(readyState) {
    super.stop(readyState);
    this.#stopping.abort();
  }
}

/**
 * Calls `act` at this tab's turn, which lasts until it calls `end` or `stopping` is aborted.
 *
 * Tabs wait in the order in which they came. Without the Web Locks API, so in insecure contexts, nobody waits.
 *
 * @param {AbortSignal} stopping
 * @param {(end: () => void) => void} act
 */
function takeTurn(stopping, act) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return act(() => {});
  const waiting = new AbortController();
  let isTaken = false;
  stopping.addEventListener("abort", () => waiting.abort());
  const take = () => {
    if (isTaken || stopping.aborted) return undefined;
    isTaken = true;
    waiting.abort(); // leaves the other queues
    return new Promise((/** @type {(value?: any) => void} */ end) => {
      stopping.addEventListener("abort", end);
      act(end);
    });
  };
  const turns = globalThis.document?.visibilityState === "hidden" ? HIDDEN_TURNS : TURNS;
  for (let turn = 0; turn < turns; turn += 1)
    locks.request(`chatter:poll:${turn}`, { signal: waiting.signal }, take).catch(() => {}); // another turn came first
}

/** PageSocket falls back to `SharedPoll`. */
export class PageSocket extends Socket {
  /** @param {string} url @param {object} options */
  constructor(url, options) {
    // phoenix.js would remember the fallback for as long as the tab is open.
    super(url, { ...options, sessionStorage: { getItem: () => null, setItem() {}, removeItem() {} } });
  }

  /** The present connection is a long poll, or would be. */
  get isPolling() {
    return this.#own.transport === SharedPoll;
  }

  /** Sets how long a websocket has to open before the page polls; without a time it never does. @param {number} [ms] */
  setFallback(ms) {
    this.#own.longPollFallbackMs = ms;
  }

  /** @param {unknown} _longPoll @param {number} ms */
  connectWithFallback(_longPoll, ms) {
    if (this.isPolling) this.#own.transportConnect();
    else /** @type {any} */ (Socket.prototype).connectWithFallback.call(this, SharedPoll, ms);
  }

  /** @returns {any} what phoenix.js's own types leave out */
  get #own() {
    return this;
  }
}

/** Whether a websocket gets through: it opens and carries an answer. @param {string} url @returns {Promise<boolean>} */
export function websocketAnswers(url) {
  return new Promise((resolve) => {
    const websocket = new WebSocket(url);
    const end = (/** @type {boolean} */ answers) => {
      clearTimeout(timer);
      resolve(answers);
      websocket.close();
    };
    const timer = setTimeout(() => end(false), ANSWER_MS);
    websocket.onopen = () => websocket.send(HEARTBEAT);
    websocket.onmessage = () => end(true);
    websocket.onclose = () => end(false);
  });
}

/**
 * Compares the room on the screen with the server while the page polls.
 *
 * The answer to a poll may get lost on its way, and a browser or a proxy that asks again by itself gets the next one.
 * Messages that were in it are missed then, and nobody notices before the next message comes.
 *
 * @param {Connection} connection
 * @param {{readonly value: Room}} current
 */
export function checkWhilePolling(connection, current) {
  effect(() => {
    const room = current.value;
    if (!connection.isPolling.value || room.state.value !== "joined") return undefined;
    let { last } = room.history;
    const timer = setInterval(() => {
      if (room.history.last === last) room.check();
      ({ last } = room.history);
    }, CHECK_MS);
    return () => clearInterval(timer);
  });
}
