import { signal } from "@preact/signals";
import { Socket } from "phoenix";

/** @typedef {"connecting" | "open" | "waiting" | "offline"} ConnectionState */

/** A restart of the server takes seconds, so the first attempts come fast. */
const RECONNECT_MS = [250, 500, 1000, 2000, 5000];
/** A join that fails on an open connection met a busy room, so rejoins start slower. */
const REJOIN_MS = [1000, 2000, 5000, 10_000];
/** phoenix.js's own default: a websocket that has not opened by then makes it poll. */
const FALLBACK_MS = 2500;
/** The server, and many a proxy, closes a connection that is silent for 60 s. */
const HEARTBEAT_MS = 25_000;
/** A socket looks open for minutes after a laptop slept. A working one answers much sooner than this. */
const PING_TIMEOUT_MS = 4000;
/** Applies while the browser reports offline: only a server on this machine can answer. */
const LOCAL_PING_TIMEOUT_MS = 1500;
/** phoenix.js reconnects by itself in most cases. We act only if it has not by then. */
const GRACE_MS = 1000;

/**
 * Adds a random part to a delay: up to as long again, or up to a second if longer.
 *
 * Phoenix's own delays are the same in every browser, so after a restart of the server all of them would connect at
 * the same moments.
 *
 * @param {number} ms
 * @param {() => number} random
 */
export function jitter(ms, random = Math.random) {
  return Math.round(ms + random() * Math.max(ms, 1000));
}

/**
 * Returns a function from the number of tries to a delay with jitter. The last step holds for all later tries.
 *
 * @param {number[]} steps
 * @param {() => number} random
 */
export function jittered(steps, random = Math.random) {
  return (/** @type {number} */ tries) => jitter(steps[Math.min(tries, steps.length) - 1] ?? 1000, random);
}

/** Connection owns the page's one socket, reconnects it and shows its state. */
export class Connection {
  state = signal(/** @type {ConnectionState} */ ("connecting"));
  /** The time of the next attempt, as of `Date.now()`. Valid while the state is `waiting`. */
  retryAt = signal(0);
  #openings = 0;

  /**
   * @param {string} url
   * @param {typeof Socket} SocketClass replaced in tests
   */
  constructor(url, SocketClass = Socket) {
    const reconnectAfter = jittered(RECONNECT_MS);
    this.socket = new SocketClass(url, {
      longPollFallbackMs: FALLBACK_MS,
      heartbeatIntervalMs: HEARTBEAT_MS,
      rejoinAfterMs: jittered(REJOIN_MS),
      reconnectAfterMs: (tries) => this.#retryIn(reconnectAfter(tries)),
    });
    this.socket.onOpen(() => this.#opened());
    this.socket.onClose(() => this.#closed());
  }

  // ---- Commands

  connect() {
    this.state.value = "connecting";
    this.socket.connect();
  }

  /** Connects at once, without waiting for the next attempt. */
  reconnect() {
    this.state.value = "connecting";
    this.socket.disconnect(() => this.connect());
  }

  /** Reconnects unless the connection is alive or being opened. */
  ensureOpen() {
    const state = this.socket.connectionState();
    if (state === "open") this.#probe();
    else if (state !== "connecting") this.reconnect();
  }

  /** Tests the connection when the browser reports offline. One to this machine may still work. */
  verify() {
    if (this.state.peek() === "waiting") this.state.value = "offline";
    else this.#probe(LOCAL_PING_TIMEOUT_MS);
  }

  // ---- Internal

  /** Reconnects if a ping is not answered within `ms`. */
  #probe(ms = PING_TIMEOUT_MS) {
    const opening = this.#openings;
    let answered = false;
    const sent = this.socket.ping(() => (answered = true));
    const check = () => answered || opening !== this.#openings || this.reconnect();
    if (sent) setTimeout(check, ms);
  }

  #opened() {
    this.#openings += 1;
    this.state.value = "open";
    this.#disableFallback();
  }

  /**
   * Disables the fallback to polling once a websocket has carried an answer.
   *
   * phoenix.js takes one refused connection for a network without websockets and polls from then on. After that
   * answer a refusal only means that the server is restarting.
   */
  #disableFallback() {
    const socket = /** @type {{longPollFallbackMs?: number} & Socket} */ (this.socket);
    socket.ping(() => (socket.longPollFallbackMs = undefined));
  }

  #closed() {
    this.state.value = isOffline() ? "offline" : "waiting";
  }

  /** Notes the delay that phoenix.js is about to wait. @param {number} delay */
  #retryIn(delay) {
    this.retryAt.value = Date.now() + delay;
    this.#closed();
    setTimeout(() => this.#connectIfHidden(), delay + GRACE_MS);
    return delay;
  }

  /**
   * Connects a hidden page, which phoenix.js does not: its title counts new messages. Does nothing if there is a
   * connection.
   */
  #connectIfHidden() {
    if (globalThis.document?.visibilityState === "hidden") this.connect();
  }
}

function isOffline() {
  return globalThis.navigator?.onLine === false;
}

/**
 * Reconnects when the network returns or the page is shown. It does not wait for the next attempt.
 *
 * @param {Connection} connection
 */
export function keepConnected(connection) {
  addEventListener("online", () => connection.ensureOpen());
  addEventListener("offline", () => connection.verify());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") setTimeout(() => connection.ensureOpen(), GRACE_MS);
  });
}
