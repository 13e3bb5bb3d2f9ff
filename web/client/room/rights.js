import { signal } from "@preact/signals";
import { WINDOWS } from "../messages.js";

/** @typedef {import("phoenix").Socket} Socket */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("./posts.js").PendingPost} PendingPost */

/**
 * Rights say what this person may do to a message: change and delete what they have said, for a while. A guest may as
 * long as the connection lasts that said it. Moderators may delete what others have said, whenever that was.
 *
 * The server decides. This is for what the page offers.
 */
export class Rights {
  /** The seqs of what was said on this connection. Replaced, never changed. */
  #said = signal(/** @type {Set<number>} */ (new Set()));
  #author;
  #isOnItsWay;
  #mayModerate;
  #mayTakeBack;

  /**
   * The server knows a guest by the connection only: another room, or none, changes nothing.
   *
   * @param {Socket} socket
   * @param {() => import("../authors.js").Author | undefined} author returns this person's account, if they have one
   * @param {object} room
   * @param {(id: string) => boolean} room.isOnItsWay whether this page waits for a post's acknowledgement; may read a signal
   * @param {(message: Posted) => boolean} room.mayModerate whether this person may delete what another has said; may read a signal
   * @param {() => boolean} room.mayTakeBack whether this person may delete here what they have said; may read a signal
   */
  constructor(socket, author, { isOnItsWay, mayModerate, mayTakeBack }) {
    this.#author = author;
    this.#isOnItsWay = isOnItsWay;
    this.#mayModerate = mayModerate;
    this.#mayTakeBack = mayTakeBack;
    socket.onClose(() => this.#connectionEnded());
    socket.onOpen(() => this.#connectionEnded()); // phoenix.js tells of no close where the page has disconnected
  }

  // ---- Questions, of which the first reads a signal

  /** @param {Posted | PendingPost} message */
  mayEdit(message, now = Date.now()) {
    return this.#isOwn(message, WINDOWS.edit, now);
  }

  /** @param {Posted | PendingPost} message */
  mayDelete(message, now = Date.now()) {
    if ("seq" in message && !message.deleted_at && this.#mayModerate(message)) return true;
    return this.#isOwn(message, WINDOWS.delete, now) && (!("seq" in message) || this.#mayTakeBack());
  }

  // ---- Events

  /** @param {number} seq */
  said(seq) {
    this.#said.value = new Set(this.#said.peek()).add(seq);
  }

  // ---- Internal

  #connectionEnded() {
    if (this.#said.peek().size) this.#said.value = new Set();
  }

  /** @param {Posted | PendingPost} message @param {number} seconds @param {number} now */
  #isOwn(message, seconds, now) {
    if (!("seq" in message)) return true; // not sent yet
    if (message.deleted_at || !this.#hasSaid(message)) return false;
    return now - Date.parse(message.inserted_at) < 1000 * seconds;
  }

  /** @param {Posted} message */
  #hasSaid({ id, seq, author: by }) {
    const author = this.#author();
    if (author) return by?.id === author.id;
    return this.#said.value.has(seq) || this.#isOnItsWay(id); // heard, and not yet acknowledged
  }
}
