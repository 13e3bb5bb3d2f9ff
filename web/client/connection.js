import { signal } from "@preact/signals";
import { Socket } from "phoenix";

/** @typedef {"connecting" | "open" | "waiting" | "offline"} ConnectionState */

const RECONNECT_MS = [250, 500, 1000, 2000, 5000];
const REJOIN_MS = [1000, 2000, 5000, 10_000];
const FALLBACK_MS = 2500;
const HEARTBEAT_MS = 25_000;
/** A sleeping laptop's socket looks open for a long time; a ping unanswered this long says otherwise. */
const PING_TIMEOUT_MS = 4000;
/** When the network is said to be gone, an answer from this very machine comes sooner. */
const LOCAL_PING_TIMEOUT_MS = 1500;
/** How long phoenix.js has to act by itself before we do. */
const GRACE_MS = 1000;

/**
 * Phoenix's own delays are the same in every browser. After a restart of the server all of them would knock at the
 * same moments, so each waits a random part longer, up to as long again and never spread over less than a second.
 *
 * @param {number} ms @param {() => number} random
 */
export function jitter(ms, random = Math.random) {
  return Math.round(ms + random() * Math.max(ms, 1000));
}

/** @param {number[]} steps @param {() => number} random */
export function jittered(steps, random = Math.random) {
  return (/** @type {number} */ tries) => jitter(steps[Math.min(tries, steps.length) - 1] ?? 1000, random);
}

/** The one socket of the page, and what can be said about it. */
export class Connection {
  state = signal(/** @type {ConnectionState} */ ("connecting"));
  /** When the next attempt begins, in `Date.now()`'s milliseconds; meaningful while waiting. */
  retryAt = signal(0);
  #openings = 0;

  /** @param {string} url @param {typeof Socket} Transport a stand-in for tests */
  constructor(url, Transport = Socket) {
    const reconnectAfter = jittered(RECONNECT_MS);
    this.socket = new Transport(url, {
      longPollFallbackMs: FALLBACK_MS,
      heartbeatIntervalMs: HEARTBEAT_MS,
      rejoinAfterMs: jittered(REJOIN_MS),
      reconnectAfterMs: (tries) => this.#retryIn(reconnectAfter(tries)),
    });
    this.socket.onOpen(() => this.#opened());
    this.socket.onClose(() => this.#closed());
  }

  connect() {
    this.state.value = "connecting";
    this.socket.connect();
  }

  /** Without waiting for the next attempt. */
  reconnect() {
    this.state.value = "connecting";
    this.socket.disconnect(() => this.connect());
  }

  /** Reconnect unless the connection is alive or on its way. */
  ensureOpen() {
    const state = this.socket.connectionState();
    if (state === "open") this.#probe();
    else if (state !== "connecting") this.reconnect();
  }

  /** The network is said to be gone; a socket to this very machine may still work. */
  verify() {
    if (this.state.peek() === "waiting") this.state.value = "offline";
    else this.#probe(LOCAL_PING_TIMEOUT_MS);
  }

  #probe(ms = PING_TIMEOUT_MS) {
    const opening = this.#openings;
    let answered = false;
    const asked = this.socket.ping(() => (answered = true));
    const check = () => answered || opening !== this.#openings || this.reconnect();
    if (asked) setTimeout(check, ms);
  }

  #opened() {
    this.#openings += 1;
    this.state.value = "open";
    this.#keepTransport();
  }

  /**
   * phoenix.js takes one refused connection for a network without websockets and polls from then on. Once a
   * websocket has carried an answer, a refusal only means that the server is restarting.
   */
  #keepTransport() {
    const socket = /** @type {{longPollFallbackMs?: number} & Socket} */ (this.socket);
    socket.ping(() => (socket.longPollFallbackMs = undefined));
  }

  #closed() {
    this.state.value = isOffline() ? "offline" : "waiting";
  }

  /** @param {number} delay */
  #retryIn(delay) {
    this.retryAt.value = Date.now() + delay;
    this.#closed();
    setTimeout(() => this.#connectIfHidden(), delay + GRACE_MS);
    return delay;
  }

  /** phoenix.js gives a hidden page up; but its title is to count what is said. Does nothing if there is a connection. */
  #connectIfHidden() {
    if (globalThis.document?.visibilityState === "hidden") this.connect();
  }
}

function isOffline() {
  return globalThis.navigator?.onLine === false;
}

/** Follow the page and the network: who comes back to the page is not to wait for the next attempt. @param {Connection} connection */
export function keepConnected(connection) {
  addEventListener("online", () => connection.ensureOpen());
  addEventListener("offline", () => connection.verify());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") setTimeout(() => connection.ensureOpen(), GRACE_MS);
  });
}
