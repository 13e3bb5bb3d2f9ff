/** Recorders in place of phoenix.js and the outbox: a test reads what was sent and replies for the server. */

import { Rows } from "../../../web/client/room/rows.js";

/** @typedef {import("../../../web/client/messages.js").Posted} Posted */

class FakePush {
  /** @param {string} event @param {any} payload */
  constructor(event, payload) {
    this.event = event;
    this.payload = payload;
    this.hooks = [];
  }

  receive(status, act) {
    this.hooks.push({ status, act });
    return this;
  }

  reply(status, response = {}) {
    this.hooks.filter((hook) => hook.status === status).forEach((hook) => hook.act(response));
  }
}

class FakeChannel {
  /** @param {string} topic @param {() => object} params */
  constructor(topic, params) {
    Object.assign(this, { topic, params, pushes: [], bindings: [], left: false, ref: 0 });
    this.joinPush = new FakePush("phx_join", {});
  }

  join() {
    return this.joinPush;
  }

  joinRef() {
    return String(this.ref);
  }

  leave() {
    this.left = true;
  }

  on(event, act) {
    this.bindings.push({ event, act });
  }

  onError(act) {
    this.on("phx_error", act);
  }

  onClose(act) {
    this.on("phx_close", act);
  }

  push(event, payload) {
    const push = new FakePush(event, payload);
    this.pushes.push(push);
    return push;
  }

  /** Delivers an event from the server. @param {string} event */
  receives(event, payload = {}) {
    this.bindings.filter((binding) => binding.event === event).forEach((binding) => binding.act(payload));
  }

  /** Grants the join and delivers what it brings, the presence state last. @param {Posted[]} messages */
  joins(messages, { people = {}, ...answer } = {}) {
    this.ref += 1;
    this.joinPush.reply("ok", recovered(messages.at(-1)?.seq ?? 0, answer));
    messages.forEach((message) => this.receives("new_message", message));
    this.receives("presence_state", people);
  }

  /** Loses the connection, which phoenix.js reports to every channel. */
  disconnects() {
    this.receives("phx_error", "connection_closed");
  }

  /** Returns the pushes of one event, oldest first. @param {string} event @returns {FakePush[]} */
  sent(event) {
    return this.pushes.filter((push) => push.event === event);
  }
}

/** Returns the answer to a join or a sync. @param {number} seq */
export function recovered(seq, changes = {}) {
  return { epoch: 1, seq, base: seq, recovered: true, missed: 0, more: false, ...changes };
}

/** FakeOutbox keeps posts in memory, where a second room of the same test finds them. */
export class FakeOutbox {
  kept = new Map();

  keep(post) {
    this.kept.set(post.id, post);
  }

  forget(id) {
    this.kept.delete(id);
  }

  adopt() {
    return [...this.kept.values()];
  }
}

export class FakeSocket {
  channels = [];
  #closings = [];

  onOpen() {}

  onClose(act) {
    this.#closings.push(act);
  }

  /** Loses the connection: phoenix.js tells who listens to the socket, and every channel. */
  closes() {
    this.#closings.forEach((act) => act());
    this.channels.forEach((channel) => channel.disconnects());
  }

  channel(topic, params) {
    const channel = new FakeChannel(topic, params);
    this.channels.push(channel);
    return channel;
  }

  get latest() {
    return this.channels.at(-1);
  }
}

/** @param {number} seq @param {Partial<Posted>} [changes] @returns {Posted} */
export function message(seq, changes = {}) {
  return {
    seq,
    id: `m${seq}`,
    name: "bo",
    message: `word ${seq}`,
    inserted_at: "2026-11-24T03:06:22.123456Z",
    ...changes,
  };
}

/** @param {number} from @param {number} to */
export function messages(from, to) {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

/** Lets all promises settle that wait for nothing else. */
export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** Returns rows for a run that is tested without a room. */
export function plainRows(changes = {}) {
  return new Rows({ show: (row) => row, changed: () => {}, isShown: () => true, distrusted: () => {}, ...changes });
}
