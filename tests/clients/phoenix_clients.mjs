// Clients of npm's `phoenix`, by number: each line on stdin is a command to one, each line on stdout an event it saw.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../web/client/package.json", import.meta.url));
const { LongPoll, Presence, Socket } = require("phoenix");

console.log = () => {}; // phoenix.js writes what a proxy answers there, where events are expected

const TRANSPORTS = {
  websocket: globalThis.WebSocket ?? require("ws"), // Node has its own from version 22 on
  longpoll: LongPoll,
  blocked: class Blocked {
    // plays a network without websockets
    constructor() {
      setTimeout(() => this.onerror("blocked"));
    }
    close() {}
  },
};
const VERSION_1 = {
  // phoenix.js has no serializer for it, and takes none for polling, so it is set afterwards
  encode: (message, done) => done(JSON.stringify(message)),
  decode: (text, done) => done(JSON.parse(text)),
};

class Client {
  #number;
  #socket;
  #channels = new Map();

  constructor(number) {
    this.#number = number;
  }

  connect({ url, transport, vsn, token, ...options }) {
    const authToken = token && (() => token);
    this.#socket = new Socket(url, { ...options, vsn, transport: TRANSPORTS[transport], authToken });
    if (vsn === "1.0.0") Object.assign(this.#socket, VERSION_1);
    this.#socket.onOpen(() => this.#report("open", { transport: this.#transport() }));
    this.#socket.onMessage(({ event, topic }) => event === "phx_close" && this.#report("phx_close", { topic }));
    this.#socket.connect();
  }

  disconnect() {
    this.#socket.disconnect();
  }

  heartbeat() {
    this.#socket.ping(() => this.#report("heartbeat"));
  }

  join({ topic, params }) {
    const channel = this.#socket.channel(topic, params);
    const presence = new Presence(channel);
    this.#channels.set(topic, channel);
    channel.on("new_message", (payload) => this.#report("message", { topic, payload: toJson(payload) }));
    channel.on("typing", (payload) => this.#report("typing", { topic, payload }));
    presence.onSync(() => this.#report("people", { topic, people: people(presence) }));
    channel.onError((reason) => this.#report("channel error", { topic, reason }));
    channel.onClose(() => this.#report("channel close", { topic }));
    this.#reportAnswer(topic, channel.join());
  }

  push({ topic, event, payload, hex }) {
    this.#reportAnswer(topic, this.#channels.get(topic).push(event, hex === undefined ? payload : bytes(hex)));
  }

  leave({ topic }) {
    this.#reportAnswer(topic, this.#channels.get(topic).leave());
  }

  #reportAnswer(topic, push) {
    for (const status of ["ok", "error", "timeout"]) {
      push.receive(status, (response) => this.#report("answer", { topic, status, response }));
    }
  }

  #transport() {
    return this.#socket.conn instanceof LongPoll ? "longpoll" : "websocket";
  }

  #report(event, rest = {}) {
    process.stdout.write(JSON.stringify({ client: this.#number, event, ...rest }) + "\n");
  }
}

function people(presence) {
  return Object.fromEntries(presence.list((name, { metas }) => [name, metas.length]));
}

function toJson(payload) {
  return payload instanceof ArrayBuffer ? { hex: Buffer.from(payload).toString("hex") } : payload;
}

function bytes(hex) {
  return new Uint8Array(Buffer.from(hex, "hex")).buffer;
}

const clients = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { client, command, ...rest } = JSON.parse(line);
  if (command === "connect") clients.set(client, new Client(client));
  clients.get(client)[command](rest);
}
process.exit();
