import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Connection, jittered } from "../../../web/client/connection.js";
import { settled } from "./fakes.mjs";

class FakeTransport {
  constructor(url, options) {
    Object.assign(this, {
      url,
      longPollFallbackMs: options.longPollFallbackMs,
      options,
      connects: 0,
      state: "closed",
      pings: [],
      isPolling: false,
    });
  }

  setFallback(ms) {
    this.longPollFallbackMs = ms;
  }

  endPointURL() {
    return `ws://chatter.example${this.url}/websocket`;
  }

  replaceTransport() {
    this.isPolling = false;
  }

  onOpen(act) {
    this.opened = act;
  }

  onClose(act) {
    this.closed = act;
  }

  connect() {
    this.connects += 1;
  }

  disconnect(act) {
    act();
  }

  connectionState() {
    return this.state;
  }

  ping(act) {
    this.pings.push(act);
    return true;
  }
}

let connection;
let socket;
/** Whether a websocket gets through beside a long poll, and which were tried. */
let websockets;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  websockets = { work: false, tried: [] };
  connection = new Connection("/socket", FakeTransport, async (url) => {
    websockets.tried.push(url);
    return websockets.work;
  });
  socket = connection.socket;
  connection.connect();
});

globalThis.WebSocket ??= class {};

function open({ polling = false } = {}) {
  socket.isPolling = polling;
  socket.state = "open";
  socket.opened();
}

test("delays are spread over at least a second, and never shorter than their step", () => {
  const first = jittered([250, 500], () => 0);
  const last = jittered([250, 500], () => 1);
  assert.deepEqual([1, 2, 9].map(first), [250, 500, 500]);
  assert.deepEqual([1, 2, 9].map(last), [1250, 1500, 1500]);
});

test("the state is connecting, open, then waiting until a known time", () => {
  assert.equal(connection.state.value, "connecting");
  open();
  assert.equal(connection.state.value, "open");
  const delay = socket.options.reconnectAfterMs(1);
  assert.equal(connection.state.value, "waiting");
  assert.equal(connection.retryAt.value, Date.now() + delay);
});

test("a websocket that has carried an answer turns the fallback to polling off", () => {
  open();
  assert.equal(socket.longPollFallbackMs, 2500);
  socket.pings[0](5);
  assert.equal(socket.longPollFallbackMs, undefined);
});

test("a long poll whose ping is answered does not turn the fallback off", () => {
  open({ polling: true });
  assert.deepEqual(socket.pings, []);
  assert.equal(socket.longPollFallbackMs, 2500);
});

test("a page that polls goes back to a websocket as soon as one gets through", async () => {
  open({ polling: true });
  assert.equal(connection.isPolling.value, true);
  for (const [wait, tried] of [
    [4000, 1],
    [20_000, 2],
    [120_000, 3],
    [600_000, 4],
    [600_000, 5],
  ]) {
    mock.timers.tick(wait);
    await settled();
    assert.equal(websockets.tried.length, tried);
  }
  assert.equal(socket.connects, 1);
  websockets.work = true;
  mock.timers.tick(600_000);
  await settled();
  assert.equal(websockets.tried[0], "ws://chatter.example/socket/websocket");
  assert.equal(socket.isPolling, false);
  assert.equal(socket.connects, 2);
  assert.equal(socket.longPollFallbackMs, 2500);
  open();
  assert.equal(connection.isPolling.value, false);
});

test("a websocket is not looked for while there is no connection", async () => {
  open({ polling: true });
  socket.options.reconnectAfterMs(1);
  mock.timers.tick(10_000);
  await settled();
  assert.deepEqual(websockets.tried, []);
  open({ polling: true });
  mock.timers.tick(20_000);
  await settled();
  assert.equal(websockets.tried.length, 1);
});

test("another network may let no websocket through, although the one before did", () => {
  open();
  socket.pings[0](5);
  connection.networkChanged();
  assert.equal(socket.longPollFallbackMs, 2500);
});

test("a connection that does not answer is replaced", () => {
  open();
  connection.ensureOpen();
  mock.timers.tick(4000);
  assert.equal(socket.connects, 2);
});

test("a connection that answers is left alone", () => {
  open();
  connection.ensureOpen();
  socket.pings.at(-1)(5);
  mock.timers.tick(4000);
  assert.equal(socket.connects, 1);
});

test("a connection being opened is left alone, and a closed one is opened", () => {
  socket.state = "connecting";
  connection.ensureOpen();
  assert.equal(socket.connects, 1);
  socket.state = "closed";
  connection.ensureOpen();
  assert.equal(socket.connects, 2);
});

test("the network that comes back while a connection is given up leaves the next one open", () => {
  open();
  const closed = [];
  socket.disconnect = (act) => closed.push(act);
  connection.verify();
  mock.timers.tick(1500);
  socket.state = "closing";
  connection.ensureOpen();
  const [first, second] = closed;
  first();
  open();
  second();
  assert.equal(connection.state.value, "open");
});
