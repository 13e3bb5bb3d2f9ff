import { signal } from "@preact/signals";
import { checkIdentity } from "../account/identity.js";
import { jitter } from "../connection.js";
import { ASKED, ME, MINE } from "../messages.js";
import { PendingRequests } from "../room/pending-requests.js";
import { change, drop, goOn, mark, memberships, put } from "./memberships.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("phoenix").Socket} Socket */
/** @typedef {import("../messages.js").MyRoom} MyRoom */

/** Pause before joining again a channel that the server closed. */
const REOPEN_MS = 2000;

/**
 * MyTopic is the channel of the topic `me`: it keeps the list of one's rooms as the server has it.
 *
 * Each join is answered with the whole list, so nothing is recovered. What it pushes changes that list; who follows
 * single pushes, as notifications do, is called after that; of a room that is gone they are told what it was.
 */
export class MyTopic {
  /** How often the whole list has come: what was asked before may not have been heard. */
  snapshots = signal(0);
  /** What the server says of itself. */
  server = signal(/** @type {{limits?: Record<string, number>, features?: Record<string, unknown>}} */ ({}));
  #requests = new PendingRequests();
  /** @type {((event: string, payload: any) => void)[]} */
  #listeners = [];
  /** @type {Channel | null} */
  #channel = null;

  /** @param {Socket} socket */
  join(socket) {
    const channel = socket.channel(ME, {});
    this.#channel = channel;
    for (const event of Object.values(MINE)) channel.on(event, (payload) => this.#hear(event, payload));
    channel.on(MINE.snapshot, (answer) => this.#joined(channel, answer));
    channel.on(MINE.account, () => void checkIdentity());
    channel.onError(() => this.#requests.disconnected());
    channel.onClose(() => this.#closed(socket, channel));
    channel.join().receive("ok", (answer) => this.#joined(channel, answer));
  }

  /**
   * Asks for something that is about the person. Rejects with a `Refused`, whose reason is `lost` without a connection.
   *
   * @param {string} event
   * @param {object} [payload]
   * @returns {Promise<any>}
   */
  ask(event, payload = {}) {
    return this.#requests.send(event, payload);
  }

  /** Calls `act` with each push, after the list has taken it over. @param {(event: string, payload: any) => void} act */
  listen(act) {
    this.#listeners.push(act);
  }

  // ---- Internal

  /**
   * Takes over the whole list, page by page. What is not in it any more was removed while this page was not connected.
   *
   * @param {Channel} channel
   * @param {{rooms: MyRoom[], more?: boolean, server?: object}} answer
   */
  async #joined(channel, { rooms, more = false, server = {} }) {
    this.#requests.joined(channel);
    this.server.value = server;
    const gone = new Set(memberships.peek().keys());
    try {
      for (let page = { rooms, more }; ; page = await this.ask(ASKED.rooms, { after: page.rooms.at(-1)?.slug })) {
        put(...page.rooms);
        page.rooms.forEach(({ slug }) => gone.delete(slug));
        if (!page.more) break;
      }
    } catch {
      return; // the next join brings it all
    }
    for (const slug of gone) this.#hear(MINE.removed, { slug, why: "" });
    this.snapshots.value += 1;
  }

  /** @param {string} event @param {any} payload */
  #hear(event, payload) {
    const { slug } = payload;
    const told = event === MINE.removed ? { ...payload, room: drop(slug) } : payload;
    if (event === MINE.added) put(payload.room);
    if (event === MINE.changed) change(slug, payload.set);
    if (event === MINE.activity) goOn(slug, payload);
    if (event === MINE.read) mark(slug, payload);
    if (event === MINE.level) noteLevel(payload);
    for (const act of this.#listeners) act(event, told);
  }

  /** @param {Socket} socket @param {Channel} channel */
  #closed(socket, channel) {
    if (channel !== this.#channel) return;
    this.#requests.disconnected();
    setTimeout(() => channel === this.#channel && this.join(socket), jitter(REOPEN_MS));
  }
}

/** @param {{slug: string, level: import("../messages.js").Level, until: string | null, hidden: boolean}} payload */
export function noteLevel({ slug, level, until, hidden }) {
  change(slug, { level, level_until: until, hidden });
}

/** The one of this page. */
export const myTopic = new MyTopic();
