import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Connection, jittered } from "../../../web/client/connection.js";

class FakeTransport {
  constructor(url, options) {
    Object.assign(this, {
      url,
      longPollFallbackMs: options.longPollFallbackMs,
      options,
      connects: 0,
      state: "closed",
      pings: [],
    });
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

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  connection = new Connection("/socket", FakeTransport);
  socket = connection.socket;
  connection.connect();
});

function open() {
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
