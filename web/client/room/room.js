import { computed, signal } from "@preact/signals";
import { jitter } from "../connection.js";
import {
  explain,
  LOG,
  MESSAGE_VOIDED,
  NEW_MESSAGE,
  PRESENCE_STATE,
  RESYNC,
  ROOM_EVENT,
  TOPIC,
  TYPING,
} from "../messages.js";
import { keepReplyTarget, replyTargetOf } from "../drafts.js";
import { noteTakenName } from "../me.js";
import { labelOf, sameAuthor } from "../authors.js";
import { DetachedRun } from "./detached-run.js";
import { Charter } from "./charter.js";
import { changedOf } from "./fold.js";
import { noteOwn } from "../rooms/seen.js";
import { History } from "./history.js";
import { NoteReader } from "./note-reader.js";
import { Notes } from "./notes.js";
import { Operations } from "./operations.js";
import { layOver } from "./overlay.js";
import { Pages } from "./pages.js";
import { PendingRequests } from "./pending-requests.js";
import { Pins } from "./pins.js";
import { Posts } from "./posts.js";
import { People } from "./presence.js";
import { Quotes } from "./quotes.js";
import { Reactors } from "./reactors.js";
import { Recovery } from "./recovery.js";
import { Rights } from "./rights.js";
import { RowReader } from "./row-reader.js";
import { Rows } from "./rows.js";
import { Thread } from "./thread.js";
import { Typing } from "./typing.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("phoenix").Socket} Socket */
/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../messages.js").Entry} Entry */
/** @typedef {import("../messages.js").Row} Row */
/** @typedef {import("./run.js").Run} Run */
/** @typedef {import("../messages.js").RoomEvent} RoomEvent */
/** @typedef {import("../messages.js").Acknowledged} Acknowledged */
/** @typedef {import("./posts.js").PendingPost} PendingPost */
/** @typedef {import("./operations.js").Operation} Operation */
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
  /** The answer to a join that was refused; another object each time. */
  refused = signal(/** @type {Refused | null} */ (null));
  /** The newest messages have arrived at least once. */
  hasLoaded = signal(false);
  loadingOlder = signal(false);
  /** What was done last to a message here, as far as this page has heard it. */
  lastEvent = signal(/** @type {RoomEvent | null} */ (null));
  /** How often this person has posted here. */
  postCount = signal(0);
  /** The seq of the first message that was new when the person came or looked away; 0 if none is marked. */
  firstNewSeq = signal(0);
  /** Where the person was reading when they left for another room or an older message; null at the newest one. */
  place = /** @type {Place | null} */ (null);

  people = new People();
  /** The messages held, in their present state. */
  rows = new Rows({
    show: (row) => this.#show(row),
    changed: (seq) => this.#changed(seq),
    isShown: (seq) => this.#isShown(seq),
    distrusted: () => this.#reader.want([]),
    heard: (seq) => this.notes.heard(seq),
    noted: (event) => this.#noted(event),
    purged: (account) => this.notes.purge(account),
    voided: (seq) => this.notes.drop(seq) && this.charter.distrust(),
    restarted: (base) => this.notes.restart(base),
  });
  /** What became of the room and its people. */
  notes = new Notes();
  history = new History(this.rows);
  typing = new Typing();
  #requests = new PendingRequests();
  #pages = new Pages(this.#requests, this.rows);
  #reader = new RowReader(this.#pages, this.rows);
  #noteReader = new NoteReader(this.#requests, this.notes);
  #reactors = new Reactors(this.#requests, {
    name: () => this.#label,
    row: (seq) => this.rows.get(seq),
    redraw: (seq) => this.rows.redraw([seq]),
  });
  recovery = new Recovery({
    history: this.history,
    rows: this.rows,
    pages: this.#pages,
    requests: this.#requests,
    found: (messages) => this.#found(messages),
  });
  /** What is shown of the past apart from `history`. */
  detached = new DetachedRun(this.history, this.#pages, this.rows, () => this.recovery.olderLoaded());
  /** Messages that others answer, and that the run need not hold. */
  #quotes = new Quotes(this.rows, (seqs) => this.#reader.want(seqs));
  #pins = new Pins(this.#pages, this.rows);
  /** @type {Thread | null} the thread that was read last */
  #thread = null;
  /** @type {Rights} */
  #rights;
  /** What the room is, if it is somebody's. @type {Charter} */
  charter;
  /** By the seq of a message of this person, the handles in it that are nobody's here. @type {Map<number, string[]>} */
  #notHere = new Map();
  /** The ids of messages with `@here` that were said to this person. @type {Set<string>} */
  #calledHere = new Set();
  /** What came later was said while this page was in the room. */
  #joinedAfter = 0;
  /** @type {Posts} */
  posts;
  /** @type {Operations} */
  operations;
  /** The posts that are not among the messages, with what this person has done to them since. */
  unheard = computed(() => layOverPosts(this.posts.pending.value, this.operations.pending.value));

  /** @type {Socket} */
  #socket;
  /** @type {() => string} */
  #name;
  /** @type {() => import("../authors.js").Author | undefined} */
  #author;
  /** @type {Channel | null} */
  #channel = null;
  /** The name under which this page is present; empty if it only listens. */
  #presentAs = "";

  /**
   * @param {Socket} socket
   * @param {string} slug
   * @param {() => string} name returns this person's present name
   * @param {import("./posts.js").Outbox} outbox
   * @param {import("./operations.js").Outbox} operationsOutbox
   * @param {() => import("../authors.js").Author | undefined} author returns this person's account, if they have one
   */
  constructor(socket, slug, name, outbox, operationsOutbox, author = () => undefined) {
    this.#socket = socket;
    this.slug = slug;
    this.#name = name;
    this.#author = author;
    this.charter = new Charter(slug, author);
    this.#rights = new Rights(socket, author, {
      isOnItsWay: (id) => this.posts.isOnItsWay(id),
      mayModerate: (message) => this.charter.mayModerate(message),
      mayTakeBack: () => !this.charter.isArchived || this.charter.isModerator,
    });
    /** The seq of the message that the next post answers; 0 for none. */
    this.replyTarget = replyTargetOf(slug);
    this.operations = new Operations(operationsOutbox, {
      name: () => this.#label,
      heardTo: () => this.history.last,
      changedOf: (seq, text) => {
        const row = this.rows.get(seq);
        return row?.message === text ? changedOf(row) : 0;
      },
      redraw: (seqs) => this.rows.redraw(seqs),
      reacted: (seq, key, has) => this.#reactors.note(seq, key, has),
      rejoin: () => this.#rejoin(),
      nameTaken: noteTakenName,
    });
    this.posts = new Posts(outbox, {
      name,
      author,
      has: (id) => this.history.has(id),
      receive: (message) => this.#receive({ ...message, isPartial: true }),
      acknowledged: (acknowledged) => this.#acknowledged(acknowledged),
      refused: (id) => this.#postRefused(id),
      slowed: (ms) => this.charter.slowed(ms),
      forgotten: (id) => void this.operations.takeBack(id),
      rejoin: () => this.#rejoin(),
      nameTaken: noteTakenName,
    });
  }

  // ---- Lifecycle

  /** Joins, or changes the name of who is present. @param {string} presentAs empty for nobody */
  join(presentAs) {
    if (this.#channel && presentAs === this.#presentAs) return;
    this.leave();
    if (presentAs !== this.#presentAs) this.#redrawReactions();
    this.#presentAs = presentAs;
    this.#open();
  }

  /** Shows anew which reactions are the person's own. */
  #redrawReactions() {
    this.#reactors.forget();
    this.rows.redrawAll();
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
    const params = () => ({ ...presence, ...this.recovery.position, resync: true, log: LOG });
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
    this.posts.write(message, this.replyTarget.peek());
    this.cancelReply();
  }

  /** Answers a message with the next post. @param {Row} row */
  reply({ seq }) {
    keepReplyTarget(this.slug, seq);
  }

  cancelReply() {
    if (this.replyTarget.peek()) keepReplyTarget(this.slug, 0);
  }

  /**
   * Changes the text of a message.
   *
   * @param {Row | PendingPost} message
   * @param {string} text
   * @param {{if_changed?: number, before?: string}} [began] what touched it last when the person began, and its text;
   *   another text since then is a conflict
   */
  edit(message, text, began) {
    if (text === message.message) return;
    if (!("seq" in message) && this.posts.isUnsent(message.id)) this.posts.rewrite(message.id, { message: text });
    else this.operations.add("edit", message, { message: text, ...began });
  }

  /** Deletes a message. @param {Row | PendingPost} message */
  remove(message) {
    if (!("seq" in message) && this.posts.isUnsent(message.id)) this.posts.discard(message.id);
    else this.operations.add("delete", message);
  }

  /** @param {Row} row @param {string} key an emoji */
  react(row, key) {
    this.operations.add("react", row, { key: withoutVariation(key) });
  }

  /** @param {Row} row @param {string} key an emoji */
  unreact(row, key) {
    this.operations.add("unreact", row, { key: withoutVariation(key) });
  }

  /** @param {Row} row @param {string} key an emoji */
  toggleReaction(row, key) {
    if (row.mine?.includes(withoutVariation(key))) this.unreact(row, key);
    else this.react(row, key);
  }

  /** Reads who has reacted to a message. @param {Row} row @param {string} key an emoji @returns {Promise<import("../messages.js").Reactors>} */
  readReactors({ seq }, key) {
    return this.#reactors.read(seq, key);
  }

  /** @param {Row} row */
  pin(row) {
    this.operations.add("pin", row);
  }

  /** @param {Row} row */
  unpin(row) {
    this.operations.add("unpin", row);
  }

  /** Whether the page offers to change a message. Reads a signal. @param {Row | PendingPost} message */
  mayEdit(message) {
    return this.#rights.mayEdit(message);
  }

  /** Whether the page offers to delete a message. Reads a signal. @param {Row | PendingPost} message */
  mayDelete(message) {
    return this.#rights.mayDelete(message);
  }

  /**
   * Returns a message wherever it is, and has it read if it is not held. Reads a signal.
   *
   * @param {number} seq
   * @returns {Row | undefined | null} undefined while it is read, null where there is none
   */
  quoteOf(seq) {
    return this.#quotes.of(seq);
  }

  /** Reads a message and the replies to it. @param {number} root */
  readThread(root) {
    this.#thread = new Thread(root, this.#pages, this.rows, (seqs) => this.#reader.want(seqs));
    this.#thread.load();
    return this.#thread;
  }

  /** Reads the pinned messages. */
  readPinned() {
    this.#pins.load();
    return this.#pins;
  }

  /** Notes which handles in a message of this person are nobody's here. @param {number} seq @param {string[]} handles */
  setNotHere(seq, handles) {
    if (handles.length) this.#notHere.set(seq, handles);
    else this.#notHere.delete(seq);
    this.rows.redraw([seq]);
  }

  notifyTyping() {
    if (this.state.peek() !== "joined" || !this.typing.isDue()) return;
    this.typing.sent();
    this.#channel?.push(TYPING, { name: this.#name() });
  }

  /** Marks what arrives from now on as new: the page is hidden. */
  lookedAway() {
    if (this.history.last) this.firstNewSeq.value = this.history.last + 1;
  }

  /** Shows the message at `seq`, or the nearest. @param {number} seq */
  showMessage(seq) {
    this.detached.open(seq, !this.hasLoaded.peek());
  }

  /** Shows the conversation from a place on, so far below the upper edge. @param {number} seq @param {number} top */
  readFrom(seq, top) {
    this.place = { seq, top, readTo: this.history.last };
    this.detached.open(seq, !this.hasLoaded.peek(), true);
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

  /**
   * Asks the server for something that is about the room itself.
   *
   * @param {string} event
   * @param {object} payload
   * @returns {Promise<any>} the answer; rejects with a `Refused`, whose reason is `lost` where the connection goes
   */
  ask(event, payload) {
    return this.#requests.send(event, payload);
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

  /** Reads what became of the room between the messages shown, where it is somebody's. Reads signals: it is to be called again. */
  readNotes() {
    const run = this.detached.shown.value;
    run.messages.value;
    if (!this.charter.view.value || !this.hasLoaded.value || this.state.value !== "joined") return;
    void this.#noteReader.read(() => {
      const { hasMore, first, last } = this.detached.shown.peek();
      return { first: hasMore.peek() ? first : 1, last };
    });
  }

  // ---- Channel

  /** @param {Channel} channel */
  #listen(channel) {
    /** @type {(event: string, act: (payload: any) => void) => void} */
    const on = (event, act) => channel.on(event, this.#ifCurrent(channel, act));
    this.people.follow(channel);
    on(NEW_MESSAGE, (message) => this.#receive(message));
    on(ROOM_EVENT, (event) => this.#receiveEvent(event));
    on(MESSAGE_VOIDED, ({ seq }) => this.#void(seq));
    on(RESYNC, () => this.#resync(channel));
    on(TYPING, (by) => this.#showTyping(by));
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
    this.refused.value = null;
    this.#requests.joined(channel);
    this.#joinedAfter = answer.seq;
    this.state.value = "joined";
    this.charter.joined(answer);
    this.recovery.joined(answer);
    this.detached.joined(answer);
    this.#reader.readMissing();
    this.#reactors.readMissing();
    this.posts.joined(channel);
    this.operations.joined(channel);
    if (!answer.recovered) this.#readPanelsAgain();
  }

  /** Shows why the join was refused. phoenix.js tries again by itself, later and later. @param {Refused} refusal */
  #refused(refusal) {
    this.refusal.value = explain(refusal) || "no reason given";
    this.state.value = refusal.retry_after_ms === undefined ? "refused" : "joining";
    this.refused.value = refusal;
    if (refusal.reason === "name_taken") noteTakenName(refusal);
    if (refusal.reason === "banned") this.posts.shutOut(explain(refusal)); // last: with nothing to send the room may be left
  }

  /** Starts over with everything in flight: the server has dropped its answers too. @param {Channel} channel */
  #resync(channel) {
    this.#requests.rejectAll();
    this.recovery.resynced();
    this.detached.resume();
    this.#reader.disconnected();
    this.#reader.readMissing();
    this.#reactors.disconnected();
    this.#reactors.readMissing();
    this.posts.disconnected();
    this.posts.joined(channel);
    this.operations.disconnected();
    this.operations.joined(channel);
  }

  /** @param {RoomState} state */
  #disconnected(state) {
    this.state.value = state;
    this.typing.clear();
    this.posts.disconnected();
    this.operations.disconnected();
    this.#reader.disconnected();
    this.#reactors.disconnected();
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

  /** @param {Posted & {isPartial?: boolean}} message */
  #receive(message) {
    this.typing.remove(message.name);
    if (message.mentions?.here) this.#noteCall(message);
    if (message.author && sameAuthor(message, this.#me)) this.charter.said(Date.parse(message.inserted_at));
    this.#hear(message);
    this.posts.received(message);
    this.operations.placed(message.id, message.seq);
  }

  /** Notes whether a message with `@here` was said while this person was here. @param {Posted} message */
  #noteCall({ id, seq }) {
    if (seq > this.#joinedAfter && this.charter.isMember) this.#calledHere.add(id);
  }

  /** @param {RoomEvent} event */
  #receiveEvent(event) {
    this.lastEvent.value = event;
    this.#reactors.noteEvent(event);
    this.#hear(event);
    this.#pins.noteEvent(event, (seqs) => this.#reader.want(seqs));
  }

  /** @param {import("../messages.js").RoomNote} event */
  #noted(event) {
    if (event.kind !== "member" && event.kind !== "room") return;
    this.notes.hear(event);
    this.charter.hear(event);
    this.typing.hear(event);
  }

  /** @param {Entry} entry */
  #hear(entry) {
    this.history.add(entry);
    this.operations.heard();
    if (this.history.hasGap) this.recovery.fetchMissing();
  }

  /** @param {number} seq */
  #void(seq) {
    const { hasAhead } = this.history;
    this.#reactors.doubt(); // it may have been a reaction
    if (this.history.markVoid(seq)) this.recovery.voided(hasAhead);
  }

  /** Looks for this person's posts in a page. @param {Posted[]} messages */
  #found(messages) {
    messages.forEach((message) => this.posts.received(message));
    this.operations.heard();
  }

  /** @param {Acknowledged} acknowledged */
  #acknowledged({ id, seq, duplicate, not_here: notHere }) {
    noteOwn(this.slug, seq);
    if (!duplicate) this.#rights.said(seq); // else it may have been said on another connection
    this.charter.said();
    if (notHere) this.setNotHere(seq, notHere);
    this.operations.placed(id, seq);
  }

  /** Does to a post that was refused what waited for its place. @param {string} id */
  #postRefused(id) {
    for (const { kind, message } of this.operations.takeBack(id)) {
      if (kind === "delete") this.posts.discard(id);
      else if (message !== undefined) this.posts.rewrite(id, { message });
    }
  }

  #readPanelsAgain() {
    this.#thread?.load();
    if (this.#pins.isRead) this.#pins.load();
  }

  /** Ends a join: the presence state is the last that it brings. */
  #loaded() {
    this.recovery.loaded();
    this.detached.meet();
    if (!this.hasLoaded.peek()) this.loadOlder();
    this.hasLoaded.value = true;
  }

  /** Prepends a page of older messages. @param {Run} run */
  async #loadBefore(run) {
    const before = run.first;
    const { messages, more } = await this.#pages.read({ before });
    // If the run started over meanwhile, this page no longer touches it.
    if (run.first !== before) return;
    run.prepend(messages, more);
    this.detached.meet();
    this.recovery.olderLoaded();
    this.#found(messages);
  }

  // ---- What Rows asks

  /** Lays over a message what this page adds to it. @param {Posted} row @returns {Row} */
  #show(row) {
    const shown = layOver(row, this.operations.on(row.seq), (key) => this.#reactors.has(row, key));
    const notHere = this.#notHere.get(row.seq);
    const isCalledHere = this.#calledHere.has(row.id);
    if (!notHere && !isCalledHere) return shown;
    return { ...shown, ...(notHere && { not_here: notHere }), ...(isCalledHere && { called_here: true }) };
  }

  /** @param {number} seq */
  #changed(seq) {
    this.history.update(seq);
    this.detached.update(seq);
  }

  /** Whether a message is in use: those above the live run are about to join it. @param {number} seq */
  #isShown(seq) {
    const { history, detached } = this;
    if ((history.first > 0 && seq >= history.first) || detached.run.peek()?.covers(seq)) return true;
    return this.#quotes.has(seq) || this.#pins.has(seq) || this.#thread?.has(seq) === true;
  }

  /** @param {import("../authors.js").By} by */
  #showTyping(by) {
    if (by.name && !sameAuthor(by, this.#me)) this.typing.add(by.name);
  }

  /** What this person is called in reactions. */
  get #label() {
    return labelOf(this.#me);
  }

  get #me() {
    return { name: this.#name(), author: this.#author() };
  }
}

/**
 * Returns the posts that are not among the messages, with what this person has done to them since.
 *
 * @param {PendingPost[]} posts
 * @param {Operation[]} operations
 */
function layOverPosts(posts, operations) {
  return posts.flatMap((post) => {
    const done = operations.filter((operation) => operation.post === post.id && operation.status !== "failed");
    if (post.heard || done.some(({ kind }) => kind === "delete")) return [];
    const message = done.findLast(({ kind }) => kind === "edit")?.message;
    return [message === undefined ? post : { ...post, message }];
  });
}

/** The server drops it too: ❤ and ❤️ are one reaction. @param {string} key */
function withoutVariation(key) {
  return key.replaceAll("\ufe0f", "");
}
