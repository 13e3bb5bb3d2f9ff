// Clients of npm's `phoenix`, by number: they do what each line on stdin asks, and say what they see in a line on stdout.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../web/client/package.json", import.meta.url));
const { LongPoll, Presence, Socket } = require("phoenix");

const TRANSPORTS = {
  websocket: globalThis.WebSocket ?? require("ws"), // Node has its own from version 22 on
  longpoll: LongPoll,
  blocked: class Blocked {
    // a network that lets no websocket through
    constructor() {
      setTimeout(() => this.onerror("blocked"));
    }
    close() {}
  },
};
const VERSION_1 = {
  // phoenix.js brings no serializer for it, and takes none for polling, so it is set afterwards
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
    this.#socket.onOpen(() => this.#say("open", { over: this.#transport() }));
    this.#socket.onMessage(({ event, topic }) => event === "phx_close" && this.#say("phx_close", { topic }));
    this.#socket.connect();
  }

  disconnect() {
    this.#socket.disconnect();
  }

  heartbeat() {
    this.#socket.ping(() => this.#say("heartbeat"));
  }

  join({ topic, params }) {
    const channel = this.#socket.channel(topic, params);
    const presence = new Presence(channel);
    this.#channels.set(topic, channel);
    channel.on("new_message", (payload) => this.#say("message", { topic, payload: shown(payload) }));
    channel.on("typing", (payload) => this.#say("typing", { topic, payload }));
    presence.onSync(() => this.#say("people", { topic, people: people(presence) }));
    channel.onError((reason) => this.#say("channel error", { topic, reason }));
    channel.onClose(() => this.#say("channel close", { topic }));
    this.#sayAnswer(topic, channel.join());
  }

  push({ topic, event, payload, hex }) {
    this.#sayAnswer(topic, this.#channels.get(topic).push(event, hex === undefined ? payload : bytes(hex)));
  }

  leave({ topic }) {
    this.#sayAnswer(topic, this.#channels.get(topic).leave());
  }

  #sayAnswer(topic, push) {
    for (const status of ["ok", "error", "timeout"]) {
      push.receive(status, (response) => this.#say("answer", { topic, status, response }));
    }
  }

  #transport() {
    return this.#socket.conn instanceof LongPoll ? "longpoll" : "websocket";
  }

  #say(saw, rest = {}) {
    console.log(JSON.stringify({ client: this.#number, saw, ...rest }));
  }
}

function people(presence) {
  return Object.fromEntries(presence.list((name, { metas }) => [name, metas.length]));
}

function shown(payload) {
  return payload instanceof ArrayBuffer ? { hex: Buffer.from(payload).toString("hex") } : payload;
}

function bytes(hex) {
  return new Uint8Array(Buffer.from(hex, "hex")).buffer;
}

const clients = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const { client, ask, ...rest } = JSON.parse(line);
  if (ask === "connect") clients.set(client, new Client(client));
  clients.get(client)[ask](rest);
}
process.exit();
