import { computed, signal } from "@preact/signals";
import { newId } from "../browser/id.js";
import { explain, NEW_MESSAGE } from "../messages.js";
import { Sender } from "./sender.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Post} Post */
/** @typedef {import("../messages.js").Acknowledged} Acknowledged */
/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {{keep: (post: PendingPost) => void, forget: (id: string) => void | Promise<void>}} Outbox one room's part of the page's */

/**
 * @typedef {object} PendingPost a post without its acknowledgement; IndexedDB stores it under these names
 * @property {string} id is the same whenever it is sent again, so that a repeat is not posted twice
 * @property {string} name the person's when it is sent first: it belongs to the identity of the post
 * @property {import("../authors.js").Author} [author] the person's account
 * @property {string} message
 * @property {number} [reply_to] the seq of the message that it answers
 * @property {string} inserted_at by this browser's clock, until the server's time is known
 * @property {number} written gives the order, in about `Date.now()`'s milliseconds
 * @property {"waiting" | "pending" | "failed"} status waiting to be sent, on its way, or not sent
 * @property {string} why tells the person why it failed
 * @property {boolean} tried it may have been sent before
 * @property {boolean} heard its broadcast came: it is among the messages, not yet saved
 * @property {number} [people] so many would be called: the person is to confirm that
 * @property {true} [confirmed] they have
 * @property {number} until when its timeout ends: for the broadcast, or once that came for the database
 */

/**
 * @typedef {object} PostingRoom what Posts needs of its room
 * @property {() => string} name returns this person's present name
 * @property {() => import("../authors.js").Author | undefined} author returns this person's account
 * @property {(id: string) => boolean} has whether a message is held
 * @property {(message: Posted) => void} receive
 * @property {(acknowledged: Acknowledged) => void} acknowledged notes the place of a post of this page
 * @property {(id: string) => void} refused is called when a post was refused that nobody has heard
 * @property {(ms: number) => void} slowed is called when the room wants some time between two messages
 * @property {(id: string) => void} forgotten is called when a post is given up, or acknowledged
 * @property {() => void} rejoin joins again when the server says that we are not in the room
 * @property {(refusal: Refused) => void} nameTaken is called when the name belongs to somebody else
 */

/** A broadcast takes milliseconds on a working connection. After this time the person may retry. */
const BROADCAST_TIMEOUT_MS = 10_000;
/** A commit takes milliseconds. After this time a notice says that saving is behind. */
const SAVE_TIMEOUT_MS = 5000;

/** Posts sends what this person writes and keeps each post until it is acknowledged. */
export class Posts {
  /** In the order they were written. Replaced, never changed. */
  pending = signal(/** @type {PendingPost[]} */ ([]));
  /** Some post is on its way, or waits for the room to be joined. */
  isUnsettled = computed(() => this.pending.value.some(({ status }) => status !== "failed"));
  /** Some post was broadcast, and the database is slow to take it. */
  savingIsBehind = signal(false);
  #sender = new Sender(() => this.#flush());
  /**
   * Each post waits until the one before it was broadcast, after a lost connection or a refusal. Otherwise a later post
   * that finds the server less busy would get in first.
   */
  #oneAtATime = false;
  /** Why the person is not let in for as long as a moderator likes; empty where that is not so. */
  #whyShutOut = "";
  #outbox;
  #room;

  /** @param {Outbox} outbox @param {PostingRoom} room */
  constructor(outbox, room) {
    this.#outbox = outbox;
    this.#room = room;
  }

  // ---- Channel

  /** Sends what waits, and again what may have got lost. @param {Channel} channel */
  joined(channel) {
    this.#sender.joined(channel);
    this.#oneAtATime = true;
    this.#whyShutOut = "";
    for (const { id } of this.pending.peek()) this.#change(id, { heard: this.#room.has(id) });
    this.#flush();
  }

  disconnected() {
    this.#sender.disconnected();
    for (const { id } of this.#filter(isPending)) this.#change(id, { status: "waiting" });
    this.#updateSaving();
  }

  /**
   * Fails what waits: the room does not let the person in until somebody there wants that. A post that may have been sent
   * stays the same one.
   *
   * @param {string} why
   */
  shutOut(why) {
    this.#whyShutOut = why;
    this.#failWaiting();
  }

  /** Notes the broadcast of a post, which is still to be acknowledged. @param {Posted} message */
  received({ id }) {
    const post = this.#find(id);
    if (!post || post.heard) return;
    this.#change(id, { heard: true });
    if (post.status === "failed") this.retry(id);
    else if (isPending(post)) this.#startTimeout(id, SAVE_TIMEOUT_MS);
    this.#flush();
  }

  /** Sends what was written in pages that are gone. @param {PendingPost[]} adopted */
  adopt(adopted) {
    const posts = adopted.filter(({ id }) => !this.#find(id)).map((post) => this.#adopted(post));
    this.#oneAtATime = true;
    this.pending.value = [...this.pending.peek(), ...posts].sort((a, b) => a.written - b.written);
    if (this.#whyShutOut) this.#failWaiting();
    this.#flush();
  }

  // ---- The person's actions

  /** @param {string} message @param {number} [replyTo] the seq of the message that it answers */
  write(message, replyTo = 0) {
    const now = Date.now();
    const written = Math.max(now, 1 + (this.pending.peek().at(-1)?.written ?? 0));
    const author = this.#room.author();
    /** @type {PendingPost} */
    const post = {
      id: newId(),
      name: this.#room.name(),
      ...(author && { author }),
      message,
      ...(replyTo && { reply_to: replyTo }),
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

  /** Whether nobody can have heard a post, so that it may still be changed. @param {string} id */
  isUnsent(id) {
    return this.unsent().some((post) => post.id === id);
  }

  /** Returns the posts that nobody can have heard. */
  unsent() {
    return this.#filter(({ tried, status }) => !tried && status !== "pending");
  }

  /** Whether a post was sent and not yet answered. Reads a signal. @param {string} id */
  isOnItsWay(id) {
    return this.pending.value.some((post) => post.id === id && isPending(post));
  }

  /** Changes a post that nobody has heard. @param {string} id @param {Partial<Pick<PendingPost, "message" | "reply_to">>} changes */
  rewrite(id, changes) {
    this.#change(id, changes);
    this.#keep(id);
  }

  /** Sends a post that calls many people: the person wants that. @param {string} id */
  confirm(id) {
    this.#change(id, { confirmed: true, people: undefined });
    this.retry(id);
  }

  /**
   * Sends a failed post again. One that the server has refused is a new post: under its old id it would be refused again.
   *
   * @param {string} id
   */
  retry(id) {
    if (this.#whyShutOut) this.#askToComeIn();
    const isRefused = this.#find(id)?.tried === false;
    if (isRefused) this.#outbox.forget(id);
    const next = isRefused ? newId() : id;
    this.#change(id, { id: next, status: "waiting", why: "" });
    this.#keep(next);
    this.#flush();
  }

  /** Forgets a post that the person gives up, or that is acknowledged. @param {string} id @returns {void | Promise<void>} */
  discard(id) {
    this.pending.value = this.#filter((post) => post.id !== id);
    const forgotten = this.#outbox.forget(id);
    this.#room.forgotten(id);
    this.#updateSaving();
    this.#flush();
    return forgotten;
  }

  // ---- Sending

  #flush() {
    if (!this.#sender.mayPush) return;
    for (const post of this.#filter(({ status }) => status === "waiting")) {
      if (this.#oneAtATime && this.#filter(isUnheard).length) return;
      this.#push(post);
    }
    this.#oneAtATime &&= this.#filter(({ status }) => status !== "failed").length > 0;
  }

  /** @param {PendingPost} post */
  #push({ id, name: firstName, message, reply_to, tried, heard, confirmed }) {
    const name = tried ? firstName : this.#room.name();
    /** @type {Post} */
    const post = {
      name,
      message,
      id,
      ...(reply_to && { reply_to }),
      ...(confirmed && { confirmed }),
      ...(tried && { repeat: true }),
    };
    this.#change(id, { name, status: "pending", tried: true });
    this.#startTimeout(id, heard ? SAVE_TIMEOUT_MS : BROADCAST_TIMEOUT_MS);
    this.#sender.push(NEW_MESSAGE, post, {
      acknowledged: (acknowledged) => this.#acknowledged(id, acknowledged),
      refused: (refusal) => this.#refused(id, refusal, tried),
      unanswered: () => this.#unanswered(id),
    });
  }

  // ---- Answers

  /** @param {string} id @param {Acknowledged} acknowledged */
  #acknowledged(id, acknowledged) {
    const post = this.#find(id);
    if (!post) return;
    const { seq, inserted_at } = acknowledged;
    this.#room.acknowledged({ ...acknowledged, id });
    const { name, author, message, reply_to } = post;
    const of = { name, ...(author && { author }) };
    if (!post.heard) this.#room.receive({ ...of, message, id, seq, inserted_at, ...(reply_to && { reply_to }) });
    this.discard(id);
  }

  /**
   * @param {string} id
   * @param {Refused} refusal
   * @param {boolean} tried it was sent before, and that may have been heard
   */
  #refused(id, refusal, tried) {
    if (refusal.retry_after_ms !== undefined) {
      this.#change(id, { status: "waiting", why: "", tried });
      this.#oneAtATime = true;
      if (refusal.reason === "slow_mode") this.#room.slowed(refusal.retry_after_ms);
      this.#sender.pauseFor(refusal.retry_after_ms);
    } else if (refusal.reason === "unmatched topic") this.#room.rejoin();
    else if (refusal.reason === "name_taken" && !tried) {
      this.#change(id, { status: "waiting", why: "", tried });
      this.#sender.disconnected(); // until the person has another name, under which the room is joined
      this.#room.nameTaken(refusal);
    } else {
      if (refusal.reason === "confirm") this.#change(id, { people: refusal.people });
      this.#fail(id, explain(refusal), tried);
      if (!tried) this.#room.refused(id);
    }
  }

  /** Sends a post again whose answer is very late. @param {string} id */
  #unanswered(id) {
    const post = this.#find(id);
    if (!post || !isPending(post)) return;
    this.#change(id, { status: "waiting" });
    this.#flush();
  }

  #failWaiting() {
    const waiting = this.#filter(({ status, heard }) => status === "waiting" && !heard);
    for (const { id, tried } of waiting) this.#fail(id, this.#whyShutOut, tried);
  }

  /** Another answer may be near, and the room be joined at present for no post. */
  #askToComeIn() {
    this.#whyShutOut = "";
    this.#room.rejoin();
  }

  // ---- Timeouts

  /** @param {string} id @param {number} ms */
  #startTimeout(id, ms) {
    this.#change(id, { until: Date.now() + ms });
    setTimeout(() => this.#timedOut(id), ms);
  }

  /** @param {string} id */
  #timedOut(id) {
    const post = this.#find(id);
    if (post && isUnheard(post) && Date.now() >= post.until) this.#fail(id, explain({ reason: "timeout" }));
    this.#updateSaving();
  }

  #updateSaving() {
    this.savingIsBehind.value = this.pending
      .peek()
      .some((post) => isPending(post) && post.heard && Date.now() >= post.until);
  }

  // ---- Internal

  /** @param {string} id @param {string} why @param {boolean} [tried] */
  #fail(id, why, tried = true) {
    this.#change(id, { status: "failed", why, heard: false, tried });
    this.#keep(id);
    this.#flush();
  }

  /** @param {PendingPost} post @returns {PendingPost} */
  #adopted(post) {
    const isFailed = post.status === "failed";
    const status = isFailed ? "failed" : "waiting";
    return { ...post, status, tried: post.tried || !isFailed, heard: this.#room.has(post.id) };
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
  #filter(wanted) {
    return this.pending.peek().filter(wanted);
  }
}

/** @param {PendingPost} post */
function isPending({ status }) {
  return status === "pending";
}

/** @param {PendingPost} post */
function isUnheard(post) {
  return isPending(post) && !post.heard;
}
