import { signal } from "@preact/signals";
import { Presence } from "phoenix";
import { History, WIDEST_GAP } from "./history.js";
import { explain, HISTORY, LIMITS, NEW_MESSAGE, PRESENCE_STATE, TOPIC, TYPING } from "./messages.js";
import { Posts } from "./posts.js";
import { Typing } from "./typing.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("phoenix").Socket} Socket */
/** @typedef {import("./messages.js").NewMessage} NewMessage */
/** @typedef {import("./messages.js").HistoryPage} HistoryPage */
/** @typedef {import("./messages.js").HistoryRequest} HistoryRequest */
/** @typedef {import("./messages.js").Person} Person */
/** @typedef {import("./messages.js").Refusal} Refusal */
/** @typedef {"left" | "joining" | "joined" | "refused"} RoomState */

const ANSWER_MS = 10_000;
const RETRY_MS = 2000;
/** After so many vain attempts to fill a gap, new messages matter more than the missing ones. */
const TRIES = 3;
const PAGE = 50;
const alphabet = new Intl.Collator(undefined, { numeric: true });

/** Hundreds come at once after a restart of the server; they are counted and sorted once. */
const COUNT_MS = 50;

/**
 * One room as this page knows it. It hears the channel's events and tells them on as signals; it knows no DOM.
 *
 * A join brings the newest messages and then the presence state. That is the moment to compare: what the server no
 * longer has was never saved, what it has and we lack is fetched, and a post of ours that is in neither was lost.
 */
export class Room {
  state = signal(/** @type {RoomState} */ ("left"));
  refusal = signal("");
  /** The newest messages have been heard at least once. */
  welcomed = signal(false);
  loadingOlder = signal(false);
  people = signal(/** @type {Person[]} */ ([]));
  history = new History();
  typing = new Typing();
  posts = new Posts((message) => this.#hear(message), () => this.#renew());
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
  /** @type {Set<(refusal: Refusal) => void>} questions not answered yet */
  #asked = new Set();
  #newest = 0; // the highest seq heard since the last join
  #filling = false;

  /** @param {Socket} socket @param {string} slug @param {() => string} name this person's, as of now */
  constructor(socket, slug, name) {
    this.#socket = socket;
    this.slug = slug;
    this.#name = name;
  }

  enter() {
    if (this.#channel) return;
    const channel = this.#socket.channel(`${TOPIC}:${this.slug}`, () => ({ name: this.#name() }));
    this.#channel = channel;
    this.state.value = "joining";
    this.#listen(channel);
    channel.join()
      .receive("ok", this.#from(channel, () => this.#joined(channel)))
      .receive("error", this.#from(channel, (refusal) => this.#refused(refusal)));
  }

  leave() {
    const channel = this.#channel;
    this.#channel = null;
    this.#lost("left");
    this.people.value = [];
    channel?.leave();
  }

  /** The person looks away: whatever comes now will be new to them. */
  lookAway() {
    if (this.history.last) this.newFrom.value = this.history.last + 1;
  }

  /** @param {string} message */
  say(message) {
    this.newFrom.value = 0;
    this.typing.rested();
    this.posts.write(this.#name(), message);
  }

  isTyping() {
    if (this.state.peek() === "joined" && this.typing.due()) this.#channel?.push(TYPING, { name: this.#name() });
  }

  async loadOlder() {
    if (this.loadingOlder.peek() || !this.history.more.peek() || this.state.peek() !== "joined") return;
    this.loadingOlder.value = true;
    try {
      await this.#fetchOlder(this.history.first);
    } catch {
      // Nothing is lost: the next scroll asks again.
    } finally {
      this.loadingOlder.value = false;
    }
  }

  /** @param {Channel} channel */
  #listen(channel) {
    const presence = new Presence(channel);
    const count = soon(this.#from(channel, () => this.#counted(presence)));
    presence.onSync(count);
    channel.on(NEW_MESSAGE, this.#from(channel, (message) => this.#hear(message)));
    channel.on(TYPING, this.#from(channel, ({ name }) => this.#heardTyping(name)));
    channel.on(PRESENCE_STATE, this.#from(channel, () => this.#welcome()));
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

  /** @param {Channel} channel */
  #joined(channel) {
    this.#newest = 0;
    this.refusal.value = "";
    this.state.value = "joined";
    this.posts.joined(channel);
  }

  /** phoenix.js tries again by itself, later and later. @param {Refusal} refusal */
  #refused(refusal) {
    this.refusal.value = explain(refusal) || "no reason given";
    this.state.value = "refused";
  }

  /** @param {RoomState} state */
  #lost(state) {
    this.state.value = state;
    this.typing.nobody();
    this.posts.lost();
    this.#asked.forEach((reject) => reject({ reason: "lost" }));
    this.#asked.clear();
  }

  /** The server ended the channel in peace, so phoenix.js will not rejoin. */
  #closed() {
    this.#channel = null;
    this.#lost("joining");
    setTimeout(() => this.state.peek() === "joining" && this.enter(), RETRY_MS * (1 + Math.random()));
  }

  /** The server no longer knows us here. */
  #renew() {
    if (!this.#channel) return;
    this.leave();
    this.enter();
  }

  /** @param {NewMessage} message */
  #hear(message) {
    this.#newest = Math.max(this.#newest, message.seq);
    this.typing.stopped(message.name);
    this.history.hear(message);
    this.posts.heard(message);
    if (this.history.gap) this.#fill();
  }

  /** The join has brought all it brings. */
  #welcome() {
    if (this.#newest) this.history.void(this.#newest);
    if (!this.history.gap) this.#settle();
    if (!this.welcomed.peek()) this.loadOlder();
    this.welcomed.value = true;
  }

  #settle() {
    this.posts.settle((id) => this.history.has(id));
  }

  /** Page back until what is ahead touches what is held. */
  async #fill() {
    if (this.#filling) return;
    this.#filling = true;
    for (let vain = 0; this.history.gap && this.state.peek() === "joined"; ) {
      const { after, before } = this.history.gap;
      if (before - after > WIDEST_GAP || vain === TRIES) this.history.startOver();
      else vain = (await this.#fetchGap(after, before)) ? 0 : vain + 1;
    }
    this.#filling = false;
    if (this.state.peek() === "joined") this.#settle();
  }

  /** @param {number} after @param {number} before @returns {Promise<boolean>} whether it brought us nearer */
  async #fetchGap(after, before) {
    try {
      const { messages } = await this.#ask({ before, limit: Math.min(LIMITS.history, before - after - 1) });
      messages.forEach((message) => this.#hear(message));
      return messages.length > 0;
    } catch (refusal) {
      const { reason, retry_after_ms = RETRY_MS } = /** @type {Refusal} */ (refusal);
      if (reason !== "lost") await new Promise((resume) => setTimeout(resume, retry_after_ms));
      return false;
    }
  }

  /** @param {number} before */
  async #fetchOlder(before) {
    const { messages, more } = await this.#ask({ before, limit: PAGE });
    // If the run began anew meanwhile, this page no longer touches it.
    if (this.history.first !== before) return;
    this.history.prepend(messages, more);
    messages.forEach((message) => this.posts.heard(message));
  }

  /** @param {string} name */
  #heardTyping(name) {
    if (name && name !== this.#name()) this.typing.heard(name);
  }

  /** @param {Presence} presence */
  #counted(presence) {
    const here = presence.list((name, { metas }) => ({ name, connections: metas.length }));
    this.people.value = here.sort((a, b) => alphabet.compare(a.name, b.name));
  }

  /** @param {HistoryRequest} request @returns {Promise<HistoryPage>} rejects with a refusal */
  #ask(request) {
    return new Promise((resolve, reject) => {
      this.#asked.add(reject);
      const answered = () => this.#asked.delete(reject);
      this.#channel?.push(HISTORY, request, ANSWER_MS)
        .receive("ok", (page) => (answered(), resolve(page)))
        .receive("error", (refusal) => (answered(), reject(refusal)))
        .receive("timeout", () => (answered(), reject({ reason: "timeout" })));
    });
  }
}

/** However often it is called, `act` comes once, a moment later. @param {(payload?: any) => void} act */
function soon(act) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, COUNT_MS);
  };
}
