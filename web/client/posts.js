import { signal } from "@preact/signals";
import { explain, NEW_MESSAGE } from "./messages.js";
import { newId } from "./text.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("./messages.js").NewMessage} NewMessage */
/** @typedef {import("./messages.js").Posted} Posted */
/** @typedef {import("./messages.js").Refusal} Refusal */

/**
 * @typedef {object} PendingPost
 * @property {string} id stays the same through every retry, so that a repeat is not said twice
 * @property {string} name
 * @property {string} message
 * @property {string} inserted_at this browser's clock, until the server's time is known
 * @property {"pending" | "failed"} status
 * @property {string} why what to tell the person when it failed
 * @property {boolean} heard its broadcast came back: it stands among the messages, not yet saved
 * @property {number} join the join it was sent in; 0 while it waits for one
 * @property {number} until when patience ends, in `Date.now()`'s milliseconds
 */

/** A post that is not acknowledged by then is shown as not sent: nothing goes out long after it was meant. */
const PATIENCE_MS = 10_000;
/** An answer that comes later still counts. */
const ANSWER_MS = 60_000;

/** What this person said and the server has not acknowledged yet. */
export class Posts {
  /** In the order they were written. Replaced, never changed. */
  pending = signal(/** @type {PendingPost[]} */ ([]));
  /** @type {Channel | null} joined, or nothing is sent */
  #channel = null;
  #join = 0;
  #saved;
  #unmatched;

  /** @param {(message: NewMessage) => void} saved @param {() => void} unmatched the server does not know us in this room */
  constructor(saved, unmatched) {
    this.#saved = saved;
    this.#unmatched = unmatched;
  }

  /** @param {Channel} channel */
  joined(channel) {
    this.#channel = channel;
    this.#join += 1;
    this.#all((post) => post.status === "pending" && !post.join).forEach((post) => this.#push(post));
  }

  lost() {
    this.#channel = null;
  }

  /** @param {string} name @param {string} message */
  write(name, message) {
    const inserted_at = new Date().toISOString();
    /** @type {PendingPost} */
    const post = { id: newId(), name, message, inserted_at, status: "pending", why: "", heard: false, join: 0, until: 0 };
    this.pending.value = [...this.pending.peek(), post];
    this.#send(post.id);
  }

  /** @param {string} id */
  retry(id) {
    this.#change(id, { status: "pending", why: "" });
    this.#send(id);
  }

  /** The person gives it up. @param {string} id */
  discard(id) {
    this.pending.value = this.#all((post) => post.id !== id);
  }

  /** A message of the room: if it is one of these, it was said. Sent in this join, it is still to be acknowledged. @param {NewMessage} message */
  heard({ id }) {
    const post = this.#find(id);
    if (!post) return;
    if (post.join === this.#join && this.#channel) this.#change(id, { heard: true, status: "pending", why: "" });
    else this.discard(id);
  }

  /** All that the server has is known: a post sent before this join is among it or was lost. @param {(id: string) => boolean} has */
  settle(has) {
    for (const { id, join } of this.#all((post) => post.join !== this.#join)) {
      if (has(id)) this.discard(id);
      else if (join) this.#fail(id, "the connection was lost");
    }
  }

  /** @param {string} id */
  #send(id) {
    this.#change(id, { until: Date.now() + PATIENCE_MS });
    setTimeout(() => this.#expire(id), PATIENCE_MS);
    const post = this.#find(id);
    if (post) this.#push(post);
  }

  /** @param {PendingPost} post */
  #push({ id, name, message }) {
    if (!this.#channel) return;
    this.#change(id, { join: this.#join });
    this.#channel.push(NEW_MESSAGE, { name, message, id }, ANSWER_MS)
      .receive("ok", (posted) => this.#acknowledged(id, posted))
      .receive("error", (refusal) => this.#refused(id, refusal));
  }

  /** @param {string} id @param {Posted} posted */
  #acknowledged(id, { seq, inserted_at }) {
    const post = this.#find(id);
    if (!post) return;
    if (!post.heard && seq) this.#saved({ name: post.name, message: post.message, id, seq, inserted_at });
    this.discard(id);
  }

  /** @param {string} id @param {Refusal} refusal */
  #refused(id, refusal) {
    this.#fail(id, explain(refusal));
    if (refusal.reason === "unmatched topic") this.#unmatched();
  }

  /** @param {string} id */
  #expire(id) {
    const post = this.#find(id);
    const waits = post?.status === "pending" && !post.heard;
    if (waits && Date.now() >= post.until) this.#fail(id, explain({ reason: "timeout" }));
  }

  /** @param {string} id @param {string} why */
  #fail(id, why) {
    this.#change(id, { status: "failed", why, heard: false, join: 0 });
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
