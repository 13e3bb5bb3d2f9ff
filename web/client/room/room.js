import { signal } from "@preact/signals";
import { History } from "./history.js";
import { explain, HISTORY, MESSAGE_VOIDED, NEW_MESSAGE, PRESENCE_STATE, RESYNC, TOPIC, TYPING } from "../messages.js";
import { Outbox } from "./outbox.js";
import { Posts } from "./posts.js";
import { People } from "./presence.js";
import { Questions } from "./pending-requests.js";
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

const REENTER_MS = 2000;

/**
 * One room as this page knows it. It hears the channel's events and tells them on as signals; it knows no DOM.
 *
 * A join is answered with where we stand, then brings the messages that we lack, and last the presence state.
 */
export class Room {
  state = signal(/** @type {RoomState} */ ("left"));
  refusal = signal("");
  /** The newest messages have been heard at least once. */
  welcomed = signal(false);
  loadingOlder = signal(false);
  people = new People();
  history = new History();
  typing = new Typing();
  #questions = new Questions();
  recovery = new Recovery(this.history, this.#questions, (message) => this.#hear(message));
  /** @type {Posts} */
  posts;
  /** How often this person has spoken here. */
  spoke = signal(0);
  /** The seq of the first message said since the person last looked; 0 if none is marked. */
  newFrom = signal(0);
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
      hear: (message) => this.#hear(message),
      renew: () => this.#renew(),
    });
  }

  enter() {
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
        this.#from(channel, (answer) => this.#joined(channel, answer)),
      )
      .receive(
        "error",
        this.#from(channel, (refusal) => this.#refused(refusal)),
      );
    this.posts.adopt();
  }

  leave() {
    const channel = this.#channel;
    this.#channel = null;
    this.#lost("left");
    this.people.nobody();
    channel?.leave();
  }

  /** The person looks away: whatever comes now will be new to them. */
  lookAway() {
    if (this.history.last) this.newFrom.value = this.history.last + 1;
  }

  /** @param {string} message */
  say(message) {
    this.newFrom.value = 0;
    this.spoke.value += 1;
    this.typing.rested();
    this.posts.write(this.#name(), message);
  }

  notifyTyping() {
    if (this.state.peek() === "joined" && this.typing.due()) this.#channel?.push(TYPING, { name: this.#name() });
  }

  async loadOlder() {
    if (this.loadingOlder.peek() || !this.history.more.peek() || this.state.peek() !== "joined") return;
    this.loadingOlder.value = true;
    try {
      await this.#readBack(this.history.first);
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
      this.#from(channel, (message) => this.#hear(message)),
    );
    channel.on(
      MESSAGE_VOIDED,
      this.#from(channel, ({ seq }) => this.history.void(seq)),
    );
    channel.on(
      RESYNC,
      this.#from(channel, () => this.#resync(channel)),
    );
    channel.on(
      TYPING,
      this.#from(channel, ({ name }) => this.#heardTyping(name)),
    );
    channel.on(
      PRESENCE_STATE,
      this.#from(channel, () => this.#welcome()),
    );
    channel.onError(this.#from(channel, () => this.#lost("joining")));
    channel.onClose(this.#from(channel, () => this.#closed()));
  }

  /**
   * A channel that was left may still say something; only the present one is listened to.
   * @param {Channel} channel @param {(payload: any) => void} hear
   */
  #from(channel, hear) {
    return (/** @type {any} */ payload = undefined) => {
      if (channel === this.#channel) hear(payload);
    };
  }

  /** @param {Channel} channel @param {RecoveryAnswer} answer */
  #joined(channel, answer) {
    this.refusal.value = "";
    this.state.value = "joined";
    this.#questions.joined(channel);
    this.recovery.take(answer);
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
    this.#questions.drop();
    this.recovery.resync();
    this.posts.lost();
    this.posts.joined(channel);
  }

  /** @param {RoomState} state */
  #lost(state) {
    this.state.value = state;
    this.typing.nobody();
    this.posts.lost();
    this.recovery.lost();
    this.#questions.lost();
  }

  /** The server ended the channel in peace, so phoenix.js will not rejoin. */
  #closed() {
    this.#channel = null;
    this.#lost("joining");
    setTimeout(() => this.state.peek() === "joining" && this.enter(), jitter(REENTER_MS));
  }

  /** The server no longer knows us here. */
  #renew() {
    if (!this.#channel) return;
    this.leave();
    this.enter();
  }

  /** @param {Posted} message */
  #hear(message) {
    this.typing.stopped(message.name);
    this.history.hear(message);
    this.posts.heard(message);
    if (this.history.hasGap) this.recovery.check();
  }

  /** The join has brought all it brings. */
  #welcome() {
    this.recovery.check();
    if (!this.welcomed.peek()) this.loadOlder();
    this.welcomed.value = true;
  }

  /** No limit is named, since the server's may be lower than we think; it takes half of that. @param {number} before */
  async #readBack(before) {
    /** @type {Page} */
    const { messages, more } = await this.#questions.ask(HISTORY, { before });
    // If the run began anew meanwhile, this page no longer touches it.
    if (this.history.first !== before) return;
    this.history.prepend(messages, more);
    this.recovery.readBack();
    messages.forEach((message) => this.posts.heard(message));
  }

  /** @param {string} name */
  #heardTyping(name) {
    if (name && name !== this.#name()) this.typing.heard(name);
  }
}
