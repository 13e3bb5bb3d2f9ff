import { signal } from "@preact/signals";
import { History } from "./history.js";
import { explain, HISTORY, MESSAGE_VOIDED, NEW_MESSAGE, PRESENCE_STATE, RESYNC, TOPIC, TYPING } from "../messages.js";
import { Outbox } from "./outbox.js";
import { Posts } from "./posts.js";
import { People } from "./presence.js";
import { PendingRequests } from "./pending-requests.js";
import { Recovery } from "./recovery.js";
import { jitter } from "../connection.js";
import { Typing } from "./typing.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("phoenix").Socket} Socket */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Page} Page */
/** @typedef {import("../messages.js").RecoveryAnswer} RecoveryAnswer */
/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {"left" | "joining" | "joined" | "refused"} RoomState */

const REOPEN_MS = 2000;

/**
 * One room as this page knows it. It hears the channel's events and tells them on as signals; it knows no DOM.
 *
 * A join is answered with where we stand, then brings the messages that we lack, and last the presence state.
 */
export class Room {
  state = signal(/** @type {RoomState} */ ("left"));
  refusal = signal("");
  /** The newest messages have been heard at least once. */
  hasLoaded = signal(false);
  loadingOlder = signal(false);
  people = new People();
  history = new History();
  typing = new Typing();
  #requests = new PendingRequests();
  recovery = new Recovery(this.history, this.#requests, (message) => this.#receive(message));
  /** @type {Posts} */
  posts;
  /** How often this person has spoken here. */
  postCount = signal(0);
  /** The seq of the first message said since the person last looked; 0 if none is marked. */
  firstNewSeq = signal(0);
  /** What stands in the composer while the person looks at another room. */
  draft = "";

  /** @type {Socket} */
  #socket;
  /** @type {() => string} */
  #name;
  /** @type {Channel | null} */
  #channel = null;

  /** @param {Socket} socket @param {string} slug @param {() => string} name this person's, as of now @param {import("./posts.js").Outbox} outbox */
  constructor(socket, slug, name, outbox = new Outbox(slug)) {
    this.#socket = socket;
    this.slug = slug;
    this.#name = name;
    this.posts = new Posts(outbox, {
      has: (id) => this.history.has(id),
      receive: (message) => this.#receive(message),
      rejoin: () => this.#rejoin(),
    });
  }

  join() {
    if (this.#channel) return;
    const params = () => ({ name: this.#name(), ...this.recovery.position, resync: true });
    const channel = this.#socket.channel(`${TOPIC}:${this.slug}`, params);
    this.#channel = channel;
    this.state.value = "joining";
    this.#listen(channel);
    channel
      .join()
      .receive(
        "ok",
        this.#ifCurrent(channel, (answer) => this.#joined(channel, answer)),
      )
      .receive(
        "error",
        this.#ifCurrent(channel, (refusal) => this.#refused(refusal)),
      );
    this.posts.adopt();
  }

  leave() {
    const channel = this.#channel;
    this.#channel = null;
    this.#disconnected("left");
    this.people.clear();
    channel?.leave();
  }

  /** The person looks away: whatever comes now will be new to them. */
  lookedAway() {
    if (this.history.last) this.firstNewSeq.value = this.history.last + 1;
  }

  /** @param {string} message */
  post(message) {
    this.firstNewSeq.value = 0;
    this.postCount.value += 1;
    this.typing.reset();
    this.posts.write(this.#name(), message);
  }

  notifyTyping() {
    if (this.state.peek() !== "joined" || !this.typing.isDue()) return;
    this.typing.sent();
    this.#channel?.push(TYPING, { name: this.#name() });
  }

  async loadOlder() {
    if (this.loadingOlder.peek() || !this.history.hasMore.peek() || this.state.peek() !== "joined") return;
    this.loadingOlder.value = true;
    try {
      await this.#loadBefore(this.history.first);
    } catch {
      // Nothing is lost: the next scroll asks again.
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** @param {Channel} channel */
  #listen(channel) {
    this.people.follow(channel);
    channel.on(
      NEW_MESSAGE,
      this.#ifCurrent(channel, (message) => this.#receive(message)),
    );
    channel.on(
      MESSAGE_VOIDED,
      this.#ifCurrent(channel, ({ seq }) => this.history.markVoid(seq)),
    );
    channel.on(
      RESYNC,
      this.#ifCurrent(channel, () => this.#resync(channel)),
    );
    channel.on(
      TYPING,
      this.#ifCurrent(channel, ({ name }) => this.#showTyping(name)),
    );
    channel.on(
      PRESENCE_STATE,
      this.#ifCurrent(channel, () => this.#loaded()),
    );
    channel.onError(this.#ifCurrent(channel, () => this.#disconnected("joining")));
    channel.onClose(this.#ifCurrent(channel, () => this.#closed()));
  }

  /**
   * A channel that was left may still say something; only the present one is listened to.
   * @param {Channel} channel @param {(payload: any) => void} act
   */
  #ifCurrent(channel, act) {
    return (/** @type {any} */ payload = undefined) => {
      if (channel === this.#channel) act(payload);
    };
  }

  /** @param {Channel} channel @param {RecoveryAnswer} answer */
  #joined(channel, answer) {
    this.refusal.value = "";
    this.state.value = "joined";
    this.#requests.joined(channel);
    this.recovery.applyAnswer(answer);
    this.posts.joined(channel);
    this.posts.adopt();
  }

  /** phoenix.js tries again by itself, later and later. @param {Refused} refusal */
  #refused(refusal) {
    this.refusal.value = explain(refusal) || "no reason given";
    this.state.value = refusal.retry_after_ms === undefined ? "refused" : "joining";
  }

  /** What the server had for us is gone, answers too. @param {Channel} channel */
  #resync(channel) {
    this.#requests.rejectAll();
    this.recovery.resynced();
    this.posts.disconnected();
    this.posts.joined(channel);
  }

  /** @param {RoomState} state */
  #disconnected(state) {
    this.state.value = state;
    this.typing.clear();
    this.posts.disconnected();
    this.recovery.disconnected();
    this.#requests.disconnected();
  }

  /** The server ended the channel in peace, so phoenix.js will not rejoin. */
  #closed() {
    this.#channel = null;
    this.#disconnected("joining");
    setTimeout(() => this.state.peek() === "joining" && this.join(), jitter(REOPEN_MS));
  }

  /** The server no longer knows us here. */
  #rejoin() {
    if (!this.#channel) return;
    this.leave();
    this.join();
  }

  /** @param {Posted} message */
  #receive(message) {
    this.typing.remove(message.name);
    this.history.add(message);
    this.posts.received(message);
    if (this.history.hasGap) this.recovery.fetchMissing();
  }

  /** The join has brought all it brings. */
  #loaded() {
    this.recovery.fetchMissing();
    if (!this.hasLoaded.peek()) this.loadOlder();
    this.hasLoaded.value = true;
  }

  /** No limit is named, since the server's may be lower than we think; it takes half of that. @param {number} before */
  async #loadBefore(before) {
    /** @type {Page} */
    const { messages, more } = await this.#requests.send(HISTORY, { before });
    // If the run began anew meanwhile, this page no longer touches it.
    if (this.history.first !== before) return;
    this.history.prepend(messages, more);
    this.recovery.olderLoaded();
    messages.forEach((message) => this.posts.received(message));
  }

  /** @param {string} name */
  #showTyping(name) {
    if (name && name !== this.#name()) this.typing.add(name);
  }
}
