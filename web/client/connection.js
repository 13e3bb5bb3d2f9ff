import { computed, signal } from "@preact/signals";
import { PageSocket, websocketAnswers } from "./polling.js";

/** @typedef {"connecting" | "open" | "waiting" | "offline"} ConnectionState */

/** A restart of the server takes seconds, so the first attempts come fast. */
const RECONNECT_MS = [250, 500, 1000, 2000, 5000];
/** A join that fails on an open connection met a busy room, so rejoins start slower. */
const REJOIN_MS = [1000, 2000, 5000, 10_000];
/** phoenix.js's own default: a websocket that has not opened by then makes it poll. */
const FALLBACK_MS = 2500;
/** While the page polls it looks for a websocket that gets through: soon, as one refusal may mean a restart. */
const PROBE_MS = [2000, 10_000, 60_000, 300_000];
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
  /** There is no connection, and an attempt has failed: the next one may fail, too. */
  isCut = computed(() => this.state.value !== "open" && this.retryAt.value > 0);
  /** The connection that was opened last is a long poll. */
  isPolling = signal(false);
  #openings = 0;
  /** How often a websocket was looked for since one got through last. */
  #probes = 0;
  /** Nothing connects any more. */
  #isStopped = false;
  #findsWebsocket;
  #probeAfter = jittered(PROBE_MS);

  /**
   * @param {string} url
   * @param {typeof PageSocket} SocketClass replaced in tests, like `findsWebsocket`
   * @param {(url: string) => Promise<boolean>} findsWebsocket
   */
  constructor(url, SocketClass = PageSocket, findsWebsocket = websocketAnswers) {
    this.#findsWebsocket = findsWebsocket;
    const reconnectAfter = jittered(RECONNECT_MS);
    this.socket = new SocketClass(url, {
      longPollFallbackMs: FALLBACK_MS,
      heartbeatIntervalMs: HEARTBEAT_MS,
      rejoinAfterMs: jittered(REJOIN_MS),
      reconnectAfterMs: (/** @type {number} */ tries) => this.#retryIn(reconnectAfter(tries)),
    });
    this.socket.onOpen(() => this.#opened());
    this.socket.onClose(() => this.#closed());
  }

  // ---- Commands

  connect() {
    if (this.#isStopped) return;
    // Who has reconnected twice is called back twice: the first time may have opened it.
    if (this.socket.connectionState() !== "open") this.state.value = "connecting";
    this.socket.connect();
  }

  /** Connects at once, without waiting for the next attempt. */
  reconnect() {
    this.state.value = "connecting";
    this.socket.disconnect(() => this.connect());
  }

  /** Closes the connection for good. */
  stop() {
    this.#isStopped = true;
    this.socket.disconnect();
  }

  /** Connects again, also after `stop`. */
  resume() {
    this.#isStopped = false;
    this.reconnect();
  }

  /** Reconnects unless the connection is alive or being opened. */
  ensureOpen() {
    const state = this.socket.connectionState();
    if (this.#isStopped) return;
    if (state === "open") this.#probe();
    else if (state !== "connecting") this.reconnect();
  }

  /** Takes the network for another one, which may let websockets through, or may not. */
  networkChanged() {
    this.#probes = 0;
    if (!this.isPolling.peek()) this.socket.setFallback(FALLBACK_MS);
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
    this.isPolling.value = this.socket.isPolling;
    if (this.isPolling.peek()) this.#lookForWebsocket();
    else this.#disableFallback();
  }

  /**
   * Disables the fallback to polling once a websocket has carried an answer.
   *
   * phoenix.js takes one refused connection for a network without websockets. After that answer a refusal only means
   * that the server is restarting.
   */
  #disableFallback() {
    this.socket.ping(() => {
      this.socket.setFallback();
      this.#probes = 0;
    });
  }

  /** Tries a websocket beside this long poll, later and later, until one gets through. */
  #lookForWebsocket() {
    const opening = this.#openings;
    const isCurrent = () => opening === this.#openings && this.state.peek() === "open";
    this.#probes += 1;
    setTimeout(async () => {
      if (!isCurrent()) return;
      const isFound = await this.#findsWebsocket(this.socket.endPointURL());
      if (!isCurrent()) return;
      if (isFound) this.#leavePolling();
      else this.#lookForWebsocket();
    }, this.#probeAfter(this.#probes));
  }

  /** Goes on with a websocket. The rooms join again and get what they missed in between. */
  #leavePolling() {
    this.socket.replaceTransport(WebSocket);
    this.socket.setFallback(FALLBACK_MS);
    this.connect();
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
  addEventListener("online", () => {
    connection.networkChanged();
    connection.ensureOpen();
  });
  addEventListener("offline", () => connection.verify());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") setTimeout(() => connection.ensureOpen(), GRACE_MS);
  });
}
