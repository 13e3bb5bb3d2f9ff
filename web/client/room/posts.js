import { signal } from "@preact/signals";
import { explain, NEW_MESSAGE } from "../messages.js";
import { jitter } from "../connection.js";
import { newId } from "../text.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Post} Post */
/** @typedef {import("../messages.js").Acknowledged} Acknowledged */
/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {Pick<import("./outbox.js").Outbox, "keep" | "forget" | "adopt">} Outbox */

/**
 * @typedef {object} PendingPost
 * @property {string} id stays the same through every retry, so that a repeat is not said twice
 * @property {string} name
 * @property {string} message
 * @property {string} inserted_at this browser's clock, until the server's time is known
 * @property {number} written the order, in about `Date.now()`'s milliseconds
 * @property {"waiting" | "pending" | "failed"} status waiting to be sent, on its way, or not sent
 * @property {string} why what to tell the person when it failed
 * @property {boolean} tried it may have been sent before
 * @property {boolean} heard its broadcast came: it stands among the messages, not yet saved
 * @property {number} until when patience ends: with the room, or once heard with the database
 */

/**
 * @typedef {object} RoomOfPosts
 * @property {(id: string) => boolean} has whether a message is held
 * @property {(message: Posted) => void} hear
 * @property {() => void} renew the server does not know us here
 */

/** On a living connection a post is heard by then, or something is wrong with it. */
const PATIENCE_MS = 10_000;
/** One that is heard and not saved by then is worth a word. */
const SAVING_MS = 5000;
/** An answer that comes later still counts; after this it is asked for again. */
const ANSWER_MS = 60_000;

/** What this person said and the server has not acknowledged yet. It waits for a connection as long as it takes. */
export class Posts {
  /** In the order they were written. Replaced, never changed. */
  pending = signal(/** @type {PendingPost[]} */ ([]));
  /** Everybody has heard it, but the database takes long. */
  savingIsBehind = signal(false);
  /** @type {Channel | null} joined, or nothing is sent */
  #channel = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} the server asked us to wait */
  #pause;
  /** After a break or a refusal one post at a time, each when the one before it is heard: else a later one that finds the server less busy gets in first. */
  #singly = false;
  #outbox;
  #room;

  /** @param {Outbox} outbox @param {RoomOfPosts} room */
  constructor(outbox, room) {
    this.#outbox = outbox;
    this.#room = room;
  }

  /** Send what waits, all that may have got lost included. @param {Channel} channel */
  joined(channel) {
    this.#channel = channel;
    this.#singly = true;
    for (const { id } of this.pending.peek()) this.#change(id, { heard: this.#room.has(id) });
    this.#flush();
  }

  lost() {
    this.#channel = null;
    this.#resume();
    for (const { id } of this.#all(onItsWay)) this.#change(id, { status: "waiting" });
    this.#look();
  }

  /** What was written in pages that were closed is sent from this one. */
  async adopt() {
    const adopted = (await this.#outbox.adopt()).filter(({ id }) => !this.#find(id));
    if (!adopted.length) return;
    this.#singly = true;
    const posts = adopted.map((post) => ({
      ...post,
      status: unsent(post),
      tried: true,
      heard: this.#room.has(post.id),
    }));
    this.pending.value = [...this.pending.peek(), ...posts].sort((a, b) => a.written - b.written);
    this.#flush();
  }

  /** @param {string} name @param {string} message */
  write(name, message) {
    const now = Date.now();
    const written = Math.max(now, 1 + (this.pending.peek().at(-1)?.written ?? 0));
    /** @type {PendingPost} */
    const post = {
      id: newId(),
      name,
      message,
      inserted_at: new Date(now).toISOString(),
      written,
      status: "waiting",
      why: "",
      tried: false,
      heard: false,
      until: 0,
    };
    this.pending.value = [...this.pending.peek(), post];
    this.#outbox.keep(post);
    this.#flush();
  }

  /** @param {string} id */
  retry(id) {
    this.#change(id, { status: "waiting", why: "" });
    this.#keep(id);
    this.#flush();
  }

  /** The person gives it up, or it is done. @param {string} id */
  discard(id) {
    this.pending.value = this.#all((post) => post.id !== id);
    this.#outbox.forget(id);
    this.#look();
    this.#flush();
  }

  /** A message of the room: if it is one of these, it was said, and still is to be acknowledged. @param {Posted} message */
  heard({ id }) {
    const post = this.#find(id);
    if (!post || post.heard) return;
    this.#change(id, { heard: true });
    if (post.status === "failed") this.retry(id);
    else if (onItsWay(post)) this.#expect(id, SAVING_MS);
    this.#flush();
  }

  #flush() {
    if (!this.#channel || this.#pause) return;
    for (const post of this.#all(({ status }) => status === "waiting")) {
      if (this.#singly && this.#all(unheard).length) return;
      this.#push(post);
    }
    this.#singly &&= this.#all(({ status }) => status !== "failed").length > 0;
  }

  /** @param {PendingPost} post */
  #push({ id, name, message, tried, heard }) {
    /** @type {Post} */
    const post = tried ? { name, message, id, repeat: true } : { name, message, id };
    this.#change(id, { status: "pending", tried: true });
    this.#expect(id, heard ? SAVING_MS : PATIENCE_MS);
    this.#channel
      ?.push(NEW_MESSAGE, post, ANSWER_MS)
      .receive("ok", (posted) => this.#acknowledged(id, posted))
      .receive("error", (refusal) => this.#refused(id, refusal))
      .receive("timeout", () => this.#unanswered(id));
  }

  /** @param {string} id @param {Acknowledged} posted */
  #acknowledged(id, { seq, inserted_at }) {
    const post = this.#find(id);
    if (!post) return;
    if (!post.heard) this.#room.hear({ name: post.name, message: post.message, id, seq, inserted_at });
    this.discard(id);
  }

  /** @param {string} id @param {Refused} refusal */
  #refused(id, refusal) {
    if (refusal.retry_after_ms !== undefined) {
      this.#change(id, { status: "waiting", why: "" });
      this.#rest(refusal.retry_after_ms);
    } else if (refusal.reason === "unmatched topic") this.#room.renew();
    else this.#fail(id, explain(refusal));
  }

  /** The database has been away for long. @param {string} id */
  #unanswered(id) {
    const post = this.#find(id);
    if (!post || !onItsWay(post)) return;
    this.#change(id, { status: "waiting" });
    this.#flush();
  }

  /** Send nothing for a while, then one after the other. @param {number} ms */
  #rest(ms) {
    this.#singly = true;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#resume();
      this.#flush();
    }, jitter(ms));
  }

  #resume() {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  /** @param {string} id @param {number} patience */
  #expect(id, patience) {
    this.#change(id, { until: Date.now() + patience });
    setTimeout(() => this.#expire(id), patience);
  }

  /** @param {string} id */
  #expire(id) {
    const post = this.#find(id);
    if (post && unheard(post) && Date.now() >= post.until) this.#fail(id, explain({ reason: "timeout" }));
    this.#look();
  }

  #look() {
    this.savingIsBehind.value = this.pending
      .peek()
      .some((post) => onItsWay(post) && post.heard && Date.now() >= post.until);
  }

  /** @param {string} id @param {string} why */
  #fail(id, why) {
    this.#change(id, { status: "failed", why, heard: false });
    this.#keep(id);
    this.#flush();
  }

  /** @param {string} id */
  #keep(id) {
    const post = this.#find(id);
    if (post) this.#outbox.keep(post);
  }

  /** @param {string} id @param {Partial<PendingPost>} changes */
  #change(id, changes) {
    this.pending.value = this.pending.peek().map((post) => (post.id === id ? { ...post, ...changes } : post));
  }

  /** @param {string} id */
  #find(id) {
    return this.pending.peek().find((post) => post.id === id);
  }

  /** @param {(post: PendingPost) => boolean} wanted */
  #all(wanted) {
    return this.pending.peek().filter(wanted);
  }
}

/** @param {PendingPost} post */
function onItsWay({ status }) {
  return status === "pending";
}

/** @param {PendingPost} post @returns {"failed" | "waiting"} what became of it in a page that is gone */
function unsent({ status }) {
  return status === "failed" ? "failed" : "waiting";
}

/** @param {PendingPost} post */
function unheard(post) {
  return onItsWay(post) && !post.heard;
}
