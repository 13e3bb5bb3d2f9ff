/** Stand-ins that record what they are told and let a test answer for the server. */

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

  answer(status, response = {}) {
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

  /** What the server says. */
  hears(event, payload = {}) {
    this.bindings.filter((binding) => binding.event === event).forEach((binding) => binding.act(payload));
  }

  /** A join that succeeds, with the messages it brings. @param {Posted[]} messages */
  welcomes(messages, { people = {}, ...answer } = {}) {
    this.ref += 1;
    this.joinPush.answer("ok", recovered(messages.at(-1)?.seq ?? 0, answer));
    messages.forEach((message) => this.hears("new_message", message));
    this.hears("presence_state", people);
  }

  /** The connection is lost; phoenix.js tells every channel. */
  breaks() {
    this.hears("phx_error", "connection_closed");
  }

  /** The pushes of one event, oldest first. @param {string} event @returns {FakePush[]} */
  sent(event) {
    return this.pushes.filter((push) => push.event === event);
  }
}

/** What the server answers to a join or a sync. @param {number} seq */
export function recovered(seq, changes = {}) {
  return { epoch: 1, seq, base: seq, recovered: true, missed: 0, more: false, ...changes };
}

/** An outbox that outlives the page. */
export class FakeOutbox {
  kept = new Map();

  keep(post) {
    this.kept.set(post.id, post);
  }

  forget(id) {
    this.kept.delete(id);
  }

  async adopt() {
    return [...this.kept.values()];
  }
}

export class FakeSocket {
  channels = [];

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

/** Let promises that are due come true. */
export async function settled() {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
