import { computed, signal } from "@preact/signals";
import { newId } from "../browser/id.js";
import { explain, OPERATIONS } from "../messages.js";
import { Sender } from "./sender.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Acknowledged} Acknowledged */
/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {{keep: (operation: Operation) => void, forget: (id: string) => void}} Outbox one room's part of the page's */

/**
 * @typedef {object} Operation what this person does to a message; IndexedDB stores it under these names
 * @property {string} id is the same whenever it is sent again
 * @property {keyof typeof OPERATIONS} kind
 * @property {number} seq of the message; 0 as long as that is a post without a place
 * @property {string} post the id of that post
 * @property {string} name the person's when it is sent first
 * @property {string} [message] the new text of an edit
 * @property {number} [if_changed] of an edit: what touched the message last when the person began
 * @property {string} [before] of an edit: the text of the message then
 * @property {string} [key] the emoji of a reaction
 * @property {string} at by this browser's clock
 * @property {number} written gives the order, in about `Date.now()`'s milliseconds
 * @property {"waiting" | "pending" | "failed"} status waiting to be sent, on its way, or refused
 * @property {string} why tells the person why it was refused
 * @property {boolean} tried it may have been sent before
 * @property {number} done the seq of its entry, which is saved and not heard yet; 0 before
 */

/**
 * @typedef {object} OperatingRoom what Operations needs of its room
 * @property {() => string} name returns what this person is called in reactions
 * @property {() => number} heardTo returns the seq up to which everything was heard
 * @property {(seq: number, text: string) => number} changedOf returns what touched a message last; 0 if its text is another
 * @property {(seqs: number[]) => void} redraw shows messages anew
 * @property {(seq: number, key: string, has: boolean) => void} reacted is called when the person has reacted, or has not any more
 * @property {() => void} rejoin joins again when the server says that we are not in the room
 * @property {(refusal: Refused) => void} nameTaken is called when the name belongs to somebody else
 */

/** Follows a refusal for a while that does not say how long. */
const RETRY_MS = 2000;
const TEMPORARY = ["overloaded", "busy", "rate_limited", "unavailable"];

/** The operations that end what the other has begun. @type {Record<string, string>} */
const REVERSES = { react: "unreact", unreact: "react", pin: "unpin", unpin: "pin" };

/**
 * Operations sends what this person does to messages, and keeps each until it is saved and heard, or refused.
 *
 * Those on one message go out one after the other.
 */
export class Operations {
  /** In the order they were made. Replaced, never changed. */
  pending = signal(/** @type {Operation[]} */ ([]));
  /** Some operation is on its way, or waits for the room to be joined. */
  isUnsettled = computed(() => this.pending.value.some(isOpen));
  #sender = new Sender(() => this.#flush());
  #outbox;
  #room;

  /** @param {Outbox} outbox @param {OperatingRoom} room */
  constructor(outbox, room) {
    this.#outbox = outbox;
    this.#room = room;
  }

  // ---- Questions

  /** Returns those on one message, in order. @param {number} seq */
  on(seq) {
    return this.pending.peek().filter((operation) => operation.seq === seq);
  }

  // ---- Channel

  /** Sends what waits, and again what may have got lost. @param {Channel} channel */
  joined(channel) {
    this.#sender.joined(channel);
    this.#flush();
  }

  disconnected() {
    this.#sender.disconnected();
    for (const { id, status } of this.pending.peek()) if (status === "pending") this.#change(id, { status: "waiting" });
  }

  /** Drops what is done: its entry was heard, in order. */
  heard() {
    const heardTo = this.#room.heardTo();
    for (const { id, done } of this.pending.peek()) if (done && done <= heardTo) this.#drop(id);
  }

  /** Takes over what was done in pages that are gone. @param {Operation[]} adopted */
  adopt(adopted) {
    const known = new Set(this.pending.peek().map(({ id }) => id));
    const added = adopted.filter(({ id }) => !known.has(id)).map((operation) => asWaiting(operation));
    this.#set([...this.pending.peek(), ...added].sort((a, b) => a.written - b.written));
    this.#flush();
  }

  /** The post that operations wait for has its place. @param {string} post @param {number} seq */
  placed(post, seq) {
    const waiting = this.pending.peek().filter((operation) => operation.post === post && !operation.seq);
    for (const { id } of waiting) {
      this.#change(id, { seq });
      this.#keep(id);
    }
    if (waiting.length) this.#flush();
  }

  /** Takes back what waits for a post that has no place, and returns it. @param {string} post @returns {Operation[]} */
  takeBack(post) {
    const waiting = this.pending.peek().filter((operation) => operation.post === post && !operation.seq);
    for (const { id } of waiting) this.#drop(id);
    return waiting;
  }

  // ---- The person's actions

  /**
   * Does something to a message, or to a post that has no place yet.
   *
   * @param {Operation["kind"]} kind
   * @param {{seq: number} | {id: string}} message
   * @param {Pick<Operation, "message" | "if_changed" | "before" | "key">} [fields]
   */
  add(kind, message, fields = {}) {
    const seq = "seq" in message ? message.seq : 0;
    const post = "seq" in message ? "" : message.id;
    const others = this.pending.peek().filter((each) => each.seq === seq && each.post === post);
    for (const { id, status } of others) if (status === "failed") this.discard(id);
    const unsent = others.filter(({ status, tried }) => status === "waiting" && !tried);
    if (this.#joins(unsent, kind, fields)) return;
    const now = Date.now();
    const written = Math.max(now, 1 + (this.pending.peek().at(-1)?.written ?? 0));
    const at = new Date(now).toISOString();
    const name = this.#room.name();
    /** @type {Operation} */
    const operation = {
      ...{ id: newId(), kind, seq, post, name, ...fields, at, written },
      ...{ status: "waiting", why: "", tried: false, done: 0 },
    };
    this.#set([...this.pending.peek(), operation]);
    this.#outbox.keep(operation);
    this.#flush();
  }

  /** Sends a refused operation again, as another. @param {string} id */
  retry(id) {
    const failed = this.#find(id);
    if (!failed) return;
    const { kind, seq, post, message, key } = failed;
    this.discard(id);
    this.add(kind, seq ? { seq } : { id: post }, { ...(message !== undefined && { message }), ...(key && { key }) });
  }

  /** Forgets an operation that the person gives up. @param {string} id */
  discard(id) {
    this.#outbox.forget(id);
    this.#drop(id);
    this.#flush();
  }

  /**
   * Lets what was not sent yet give way to what follows it. Returns whether nothing else is to be sent.
   *
   * @param {Operation[]} unsent
   * @param {Operation["kind"]} kind
   * @param {Pick<Operation, "message" | "key">} fields
   */
  #joins(unsent, kind, { message, key }) {
    if (kind === "delete") unsent.forEach(({ id }) => this.discard(id));
    const same = unsent.findLast((each) => [kind, REVERSES[kind]].includes(each.kind) && each.key === key);
    if (!same || kind === "delete") return false;
    if (same.kind !== kind) this.discard(same.id);
    else if (kind === "edit") {
      this.#change(same.id, { message });
      this.#keep(same.id);
    }
    return true;
  }

  // ---- Sending

  #flush() {
    if (!this.#sender.mayPush) return;
    const busy = new Set();
    for (const operation of this.pending.peek().filter(isOpen)) {
      if (operation.status === "waiting" && operation.seq && !busy.has(operation.seq)) this.#push(operation);
      busy.add(operation.seq);
    }
  }

  /** @param {Operation} operation */
  #push(operation) {
    const { id, kind, seq, name: firstName, message, key, tried } = operation;
    const if_changed = this.#ifChanged(operation);
    const name = tried ? firstName : this.#room.name();
    const isIdempotent = kind === "react" || kind === "unreact";
    const payload = {
      seq,
      ...(kind !== "edit" && kind !== "delete" && { name }),
      ...(isIdempotent ? { key } : { id, ...(tried && { repeat: true }) }),
      ...(kind === "edit" && { message, ...(if_changed && { if_changed }) }),
    };
    this.#change(id, { name, status: "pending", tried: true, ...(if_changed && { if_changed }) });
    this.#sender.push(OPERATIONS[kind], payload, {
      acknowledged: (acknowledged) => this.#acknowledged(id, acknowledged),
      refused: (refusal) => this.#refused(id, refusal, tried),
      unanswered: () => this.#unanswered(id),
    });
  }

  /**
   * Returns what may have touched the message last for an edit of it: a reaction that came meanwhile is no conflict.
   *
   * @param {Operation} operation
   */
  #ifChanged({ seq, if_changed, before }) {
    return (before !== undefined && this.#room.changedOf(seq, before)) || if_changed;
  }

  /** Whether an edit that was refused as a conflict only met what left the text alone. @param {string} id */
  #isBySomethingElse(id) {
    const edit = this.#find(id);
    return edit !== undefined && (this.#ifChanged(edit) ?? 0) > (edit.if_changed ?? 0);
  }

  // ---- Answers

  /** @param {string} id @param {Acknowledged} acknowledged */
  #acknowledged(id, { seq }) {
    const operation = this.#find(id);
    if (!operation) return;
    const { kind, seq: target, key } = operation;
    if (key) this.#room.reacted(target, key, kind === "react");
    this.#outbox.forget(id);
    this.#change(id, { done: seq });
    this.heard();
    this.#flush();
  }

  /**
   * @param {string} id
   * @param {Refused} refusal
   * @param {boolean} tried it was sent before, and that may have been heard
   */
  #refused(id, refusal, tried) {
    const { reason = "", retry_after_ms = TEMPORARY.includes(reason) ? RETRY_MS : undefined } = refusal;
    const isDeleted = reason === "gone" && this.#find(id)?.kind === "delete"; // as the person wanted it
    if (retry_after_ms !== undefined) {
      this.#change(id, { status: "waiting", tried });
      this.#sender.pauseFor(retry_after_ms);
    } else if (reason === "unmatched topic") this.#room.rejoin();
    else if (reason === "name_taken" && !tried) {
      this.#change(id, { status: "waiting", tried });
      this.#sender.disconnected(); // until the person has another name, under which the room is joined
      this.#room.nameTaken(refusal);
    } else if (reason === "conflict" && this.#isBySomethingElse(id)) {
      this.#change(id, { status: "waiting", tried });
      this.#flush();
    } else if (isDeleted) this.discard(id);
    else this.#fail(id, explain(refusal));
  }

  /** @param {string} id @param {string} why */
  #fail(id, why) {
    this.#outbox.forget(id);
    this.#change(id, { status: "failed", why });
    this.#flush();
  }

  /** Sends an operation again whose answer is very late. @param {string} id */
  #unanswered(id) {
    if (this.#find(id)?.status !== "pending") return;
    this.#change(id, { status: "waiting" });
    this.#flush();
  }

  // ---- Internal

  /** @param {string} id */
  #keep(id) {
    const operation = this.#find(id);
    if (operation) this.#outbox.keep(operation);
  }

  /** @param {string} id */
  #drop(id) {
    this.#set(this.pending.peek().filter((operation) => operation.id !== id));
  }

  /** @param {string} id @param {Partial<Operation>} changes */
  #change(id, changes) {
    this.#set(this.pending.peek().map((each) => (each.id === id ? { ...each, ...changes } : each)));
  }

  /** @param {Operation[]} next */
  #set(next) {
    const before = this.pending.peek();
    this.pending.value = next;
    const changed = [...before, ...next].filter((each) => !(before.includes(each) && next.includes(each)));
    this.#room.redraw([...new Set(changed.map(({ seq }) => seq))]);
  }

  /** @param {string} id */
  #find(id) {
    return this.pending.peek().find((operation) => operation.id === id);
  }
}

/** Whether an operation is still to be answered. @param {Operation} operation */
function isOpen({ status, done }) {
  return status !== "failed" && !done;
}

/** @param {Operation} operation @returns {Operation} */
function asWaiting(operation) {
  return { ...operation, status: "waiting", tried: true, done: 0 };
}
