import { signal } from "@preact/signals";
import { jitter } from "../connection.js";
import { explain, HISTORY, MESSAGE_VOIDED, NEW_MESSAGE, PRESENCE_STATE, RESYNC, TOPIC, TYPING } from "../messages.js";
import { DetachedRun } from "./detached-run.js";
import { noteOwn } from "../rooms/seen.js";
import { History } from "./history.js";
import { PendingRequests } from "./pending-requests.js";
import { Posts } from "./posts.js";
import { People } from "./presence.js";
import { Recovery } from "./recovery.js";
import { Typing } from "./typing.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("phoenix").Socket} Socket */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Page} Page */
/** @typedef {import("../messages.js").RecoveryAnswer} RecoveryAnswer */
/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {"left" | "joining" | "joined" | "refused"} RoomState */

/**
 * @typedef {object} Place where the person was reading
 * @property {number} seq of the first message in sight
 * @property {number} top its distance from the upper edge, in pixels
 * @property {number} readTo the seq up to which everything was on the screen
 */

/**
 * Pause before joining again a channel that the server closed. The person should be back soon, yet a server that
 * closes the channel at every join should see only one join every few seconds.
 */
const REOPEN_MS = 2000;

/**
 * Room turns the events of one channel into signals. It knows no DOM.
 *
 * The server answers a join with a `RecoveryAnswer`, then pushes the messages that are missing here, and the presence
 * state last.
 */
export class Room {
  state = signal(/** @type {RoomState} */ ("left"));
  refusal = signal("");
  /** The newest messages have arrived at least once. */
  hasLoaded = signal(false);
  loadingOlder = signal(false);
  /** How often this person has posted here. */
  postCount = signal(0);
  /** The seq of the first message since the person last looked; 0 if none is marked. */
  firstNewSeq = signal(0);
  /** Where the person was reading when they left for another room or an older message; null at the newest one. */
  place = /** @type {Place | null} */ (null);

  people = new People();
  history = new History();
  typing = new Typing();
  #requests = new PendingRequests();
  recovery = new Recovery(this.history, this.#requests, (message) => this.#receive(message));
  /** What is shown of the past apart from `history`. */
  detached = new DetachedRun(this.history, this.#requests, () => this.recovery.olderLoaded());
  /** @type {Posts} */
  posts;

  /** @type {Socket} */
  #socket;
  /** @type {() => string} */
  #name;
  /** @type {Channel | null} */
  #channel = null;
  /** The name under which this page is present; empty if it only listens. */
  #presentAs = "";

  /**
   * @param {Socket} socket
   * @param {string} slug
   * @param {() => string} name returns this person's present name
   * @param {import("./posts.js").Outbox} outbox
   */
  constructor(socket, slug, name, outbox) {
    this.#socket = socket;
    this.slug = slug;
    this.#name = name;
    this.posts = new Posts(outbox, {
      name,
      has: (id) => this.history.has(id),
      receive: (message) => this.#receive(message),
      acknowledged: (seq) => noteOwn(slug, seq),
      rejoin: () => this.#rejoin(),
    });
  }

  // ---- Lifecycle

  /** Joins, or changes the name of who is present. @param {string} presentAs empty for nobody */
  join(presentAs) {
    if (this.#channel && presentAs === this.#presentAs) return;
    this.leave();
    this.#presentAs = presentAs;
    this.#open();
  }

  /** Joins for the posts alone: nobody looks at the room. */
  joinToSend() {
    if (!this.#channel) this.join("");
  }

  leave() {
    const channel = this.#channel;
    this.#channel = null;
    this.#disconnected("left");
    this.people.clear();
    channel?.leave();
  }

  #open() {
    const presence = this.#presentAs ? { name: this.#presentAs } : { presence: true };
    const params = () => ({ ...presence, ...this.recovery.position, resync: true });
    const channel = this.#socket.channel(`${TOPIC}:${this.slug}`, params);
    this.#channel = channel;
    this.state.value = "joining";
    this.#listen(channel);
    const joined = this.#ifCurrent(channel, (answer) => this.#joined(channel, answer));
    const refused = this.#ifCurrent(channel, (refusal) => this.#refused(refusal));
    channel.join().receive("ok", joined).receive("error", refused);
  }

  // ---- The person's actions

  /** @param {string} message */
  post(message) {
    this.firstNewSeq.value = 0;
    this.postCount.value += 1;
    this.typing.reset();
    this.posts.write(message);
  }

  notifyTyping() {
    if (this.state.peek() !== "joined" || !this.typing.isDue()) return;
    this.typing.sent();
    this.#channel?.push(TYPING, { name: this.#name() });
  }

  /** Marks what arrives from now on as new. The page was hidden or shows another room. */
  lookedAway() {
    if (this.history.last) this.firstNewSeq.value = this.history.last + 1;
  }

  /** Shows the message at `seq`, or the nearest. @param {number} seq */
  showMessage(seq) {
    this.detached.open(seq, !this.hasLoaded.peek());
  }

  /** Shows what was shown before the message. */
  closeMessage() {
    this.detached.close();
  }

  showNewest() {
    this.place = null;
    this.detached.close();
  }

  /** Loads what was said before the messages on the screen. */
  async loadOlder() {
    const run = this.detached.shown.peek();
    if (this.loadingOlder.peek() || !run.hasMore.peek() || this.state.peek() !== "joined") return;
    this.loadingOlder.value = true;
    try {
      await this.#loadBefore(run);
    } catch {
      // Nothing is lost: the next scroll asks again.
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** Fetches what an answer that got lost may have brought, also the end of this channel. */
  async check() {
    try {
      await this.recovery.check();
    } catch (refusal) {
      // Otherwise the next check comes soon.
      if (/** @type {Refused} */ (refusal).reason === "unmatched topic") this.#rejoin();
    }
  }

  // ---- Channel

  /** @param {Channel} channel */
  #listen(channel) {
    /** @type {(event: string, act: (payload: any) => void) => void} */
    const on = (event, act) => channel.on(event, this.#ifCurrent(channel, act));
    this.people.follow(channel);
    on(NEW_MESSAGE, (message) => this.#receive(message));
    on(MESSAGE_VOIDED, ({ seq }) => this.#void(seq));
    on(RESYNC, () => this.#resync(channel));
    on(TYPING, ({ name }) => this.#showTyping(name));
    on(PRESENCE_STATE, () => this.#loaded());
    channel.onError(this.#ifCurrent(channel, () => this.#disconnected("joining")));
    channel.onClose(this.#ifCurrent(channel, () => this.#closed()));
  }

  /**
   * Wraps `act` to ignore a channel that was left: phoenix.js may deliver its events.
   *
   * @param {Channel} channel
   * @param {(payload: any) => void} act
   */
  #ifCurrent(channel, act) {
    return (/** @type {any} */ payload = undefined) => {
      if (channel === this.#channel) act(payload);
    };
  }

  /** @param {Channel} channel @param {RecoveryAnswer} answer */
  #joined(channel, answer) {
    this.refusal.value = "";
    this.#requests.joined(channel);
    this.state.value = "joined";
    this.recovery.applyAnswer(answer);
    this.detached.joined(answer);
    this.posts.joined(channel);
  }

  /** Shows why the join was refused. phoenix.js tries again by itself, later and later. @param {Refused} refusal */
  #refused(refusal) {
    this.refusal.value = explain(refusal) || "no reason given";
    this.state.value = refusal.retry_after_ms === undefined ? "refused" : "joining";
  }

  /** Starts over with everything in flight: the server has dropped its answers too. @param {Channel} channel */
  #resync(channel) {
    this.#requests.rejectAll();
    this.recovery.resynced();
    this.detached.resume();
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

  /** Joins again after a pause. phoenix.js does not rejoin a channel that the server closed. */
  #closed() {
    this.#channel = null;
    this.#disconnected("joining");
    setTimeout(() => !this.#channel && this.state.peek() === "joining" && this.#open(), jitter(REOPEN_MS));
  }

  /** Takes a new channel: the server says that we are not in the room. */
  #rejoin() {
    if (!this.#channel) return;
    this.leave();
    this.#open();
  }

  // ---- Messages

  /** @param {Posted} message */
  #receive(message) {
    this.typing.remove(message.name);
    this.history.add(message);
    this.posts.received(message);
    if (this.history.hasGap) this.recovery.fetchMissing();
  }

  /** @param {number} seq */
  #void(seq) {
    this.history.markVoid(seq);
    this.detached.markVoid(seq);
  }

  /** Ends a join: the presence state is the last that it brings. */
  #loaded() {
    this.recovery.fetchMissing();
    this.detached.meet();
    if (!this.hasLoaded.peek()) this.loadOlder();
    this.hasLoaded.value = true;
  }

  /**
   * Prepends a page of older messages. It names no limit, since the server's may be lower than ours; the server's
   * default is half of that.
   *
   * @param {History} run
   */
  async #loadBefore(run) {
    const before = run.first;
    /** @type {Page} */
    const { messages, more } = await this.#requests.send(HISTORY, { before });
    // If the run started over meanwhile, this page no longer touches it.
    if (run.first !== before) return;
    run.prepend(messages, more);
    this.detached.meet();
    this.recovery.olderLoaded();
    messages.forEach((message) => this.posts.received(message));
  }

  /** @param {string} name */
  #showTyping(name) {
    if (name && name !== this.#name()) this.typing.add(name);
  }
}
