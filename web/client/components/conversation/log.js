import { computed, effect } from "@preact/signals";
import { Component, createRef } from "preact";
import { isLooking } from "../../browser/looking.js";
import { leaveMessage } from "../../browser/route.js";
import { html } from "../../html.js";
import { labelOfRoom } from "../../memberships/titles.js";
import { isMine } from "../../me.js";
import { keepPlace, placeOf } from "../../rooms/places.js";
import { today } from "../../time.js";
import { membershipOf } from "../../memberships/memberships.js";
import { isRemoved } from "../../memberships/removed.js";
import { forMembers, partForMembers } from "../for-members.js";
import { Announcer } from "./announcer.js";
import { Chunk, chunkOf, cutIntoChunks } from "./chunk.js";
import { EndWatch } from "./end-watch.js";
import { Bottom, Top } from "./log-ends.js";
import { MessageTools } from "./message-tools.js";
import { Pending } from "./pending.js";
import { Pill } from "./pill.js";
import { notesBetween, RoomNotes, shownNotes } from "./shown-notes.js";
import { Reading, seqOf } from "./reading.js";
import { StickyDay } from "./sticky-day.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {NonNullable<import("./reading.js").Anchor>} Anchor */

const FirstUnread = partForMembers("FirstUnread");

/** The page may end at these. */
const PAGE_ENDS = ["pagehide", "visibilitychange"];

/**
 * Log draws the messages, the pending posts, and the button that leads to the newest.
 *
 * It draws the live run of the room or the run apart from it, and tells its `Reading` where to look.
 *
 * @extends {Component<{room: Room, connection: import("../../connection.js").Connection}>}
 */
export class Log extends Component {
  scroller = createRef();
  content = createRef();
  reading = new Reading({
    isLive: () => this.#isLive,
    loadOlder: () => this.#ifDrawn(() => this.props.room.loadOlder()),
    loadNewer: () => this.#ifDrawn(() => this.props.room.detached.loadNewer()),
    cameToBottom: () => this.#leaveTarget(),
  });
  /** The number of the others' messages below `readTo`. */
  #unread = computed(() => {
    const since = this.props.room.history.after(this.reading.readTo.value);
    return since.filter((message) => !isMine(message) && !message.deleted_at).length;
  });
  #end = new EndWatch(
    () => this.scroller.current,
    (seq) => this.#seen(seq),
  );
  /** @type {Row[]} the messages of the last render */
  #drawn = [];
  /** The run that is drawn: the live one or the one apart. */
  #run = /** @type {import("../../room/run.js").Run} */ (this.props.room.history);
  /** The live run is drawn and goes on being shown. */
  #isLive = true;
  #postCount = this.props.room.postCount.peek();
  /** @type {(() => void)[]} functions that end the effects */
  #effects = [];

  // ---- Lifecycle

  componentDidMount() {
    const { room } = this.props;
    this.#noteRun();
    this.reading.attach(this.scroller.current, this.content.current);
    if (!this.#arrive()) this.#goBack();
    for (const end of PAGE_ENDS) addEventListener(end, this.#keepPlace);
    this.#effects = [
      effect(() => this.#markRead()),
      effect(() => this.#followOwnPost()),
      effect(() => this.#goOnLoading()),
      effect(() => this.#watchEnd()),
      effect(() => room.readNotes()),
      effect(() => void (room.charter.view.value && forMembers().catch(() => {}))), // they draw what becomes of a room
    ];
  }

  componentWillUnmount() {
    this.#effects.forEach((end) => end());
    this.#end.stop();
    for (const end of PAGE_ENDS) removeEventListener(end, this.#keepPlace);
    this.#keepPlace();
    this.props.room.place = this.#place();
    this.reading.detach();
  }

  getSnapshotBeforeUpdate() {
    const { room } = this.props;
    const isLeaving = this.#run === room.history && room.detached.shown.peek() !== room.history;
    if (isLeaving && !room.detached.isReturn.peek()) room.place = this.reading.place();
    return this.reading.anchor();
  }

  /** @param {unknown} _props @param {unknown} _state @param {import("./reading.js").Anchor} anchor */
  componentDidUpdate(_props, _state, anchor) {
    const { room } = this.props;
    const isBack = this.#run !== room.history && room.detached.shown.peek() === room.history;
    this.#noteRun();
    // Where the two runs have met, the message being read is still there.
    if (this.#arrive()) return;
    const isGone = anchor && !anchor.element.isConnected;
    if (isBack && (!anchor || isGone)) this.reading.goTo(room.place);
    else {
      if (isGone) this.#reopen(anchor);
      this.reading.restore(anchor);
    }
  }

  // ---- Rendering

  render() {
    const { room } = this.props;
    const run = room.detached.shown.value;
    const isLive = run === room.history;
    const held = (this.#drawn = room.detached.isBlank.value ? [] : run.messages.value);
    const isBusy = !room.hasLoaded.value || room.loadingOlder.value || room.detached.loadingNewer.value;
    const notes = shownNotes(room);
    const chunks = cutIntoChunks(held);
    const last = isLive ? notesBetween(notes, chunks.at(-1)?.at(-1)?.seq ?? placeBefore(run), Infinity) : [];
    const unsaved = room.posts.pending.value.filter((post) => post.heard).map((post) => post.id);
    return html`
      <div class="conversation">
        <div class="scroller" ref=${this.scroller} tabindex="0" role="region" aria-label="Conversation">
          <div class="content" ref=${this.content}>
            <${Top} room=${room} held=${held} isCut=${this.props.connection.isCut} />
            <div
              class="log"
              role="log"
              aria-label=${`Messages in ${labelOfRoom(room.slug)}`}
              aria-busy=${isBusy}
              aria-live=${isLive ? undefined : "off"}
              aria-relevant="additions"
            >
              ${chunks.map((chunk, index, all) => this.#chunk(chunk, all[index - 1]?.at(-1), unsaved, notes))}
              ${last.length > 0 && html`<${RoomNotes} key="notes" notes=${last} />`}
            </div>
            ${isLive ? html`<${Pending} room=${room} />` : html`<${Bottom} room=${room} />`}
          </div>
        </div>
        <${StickyDay} />
        ${membershipOf(room.slug) && html`<${FirstUnread} room=${room} scroller=${this.scroller} />`}
        <${Announcer} room=${room} />
        <${MessageTools} room=${room} />
        <${Pill} reading=${this.reading} unread=${this.#unread} isLive=${isLive} act=${() => this.#toNewest()} />
      </div>
    `;
  }

  /**
   * @param {Row[]} messages
   * @param {Row | undefined} before
   * @param {string[]} unsaved
   * @param {import("../../messages.js").RoomNote[]} notes
   */
  #chunk(messages, before, unsaved, notes) {
    const here = unsaved.filter((id) => messages.some((message) => message.id === id)).join(" ");
    const { room } = this.props;
    const first = /** @type {Row} */ (messages[0]);
    const last = /** @type {Row} */ (messages.at(-1));
    const { value: firstNewSeq } = room.firstNewSeq;
    const { target: asked, isReturn } = room.detached;
    const target = isReturn.value ? 0 : (asked.value?.seq ?? 0);
    return html`
      <${Chunk}
        key=${chunkOf(first)}
        room=${room}
        messages=${messages}
        before=${before}
        today=${today.value}
        unsaved=${here}
        notes=${notesBetween(notes, before?.seq ?? placeBefore(room.detached.shown.value), last.seq)}
        firstNewSeq=${firstNewSeq <= last.seq && firstNewSeq > (before?.seq ?? 0) ? firstNewSeq : 0}
        target=${messages.some(({ seq }) => seq === target) ? target : 0}
      />
    `;
  }

  /** Notes what was drawn: until the next render the signals may tell of something else. */
  #noteRun() {
    const { history, detached } = this.props.room;
    this.#run = detached.shown.peek();
    this.#isLive = this.#run === history && !detached.isBlank.peek();
  }

  // ---- The reader's place

  /** Scrolls to the message that was asked for, once it is drawn. Returns whether it did. */
  #arrive() {
    const { room } = this.props;
    const { arrival, isReturn } = room.detached;
    const element = arrival.peek() && (this.#elementOf(arrival.peek()) ?? this.#lineOf(arrival.peek()));
    if (!element) return false;
    arrival.value = 0;
    if (isReturn.peek()) this.reading.goTo(room.place);
    else this.reading.show(element);
    return true;
  }

  /** Shows where the person was reading, also before a reload. A message that the address names goes before. */
  #goBack() {
    const { room } = this.props;
    if (room.hasLoaded.peek() || room.detached.target.peek()) return this.reading.goTo(room.place);
    room.place = placeOf(room.slug);
    if (room.place) room.detached.open(room.place.seq, true, true);
    this.#noteRun();
  }

  /** Opens the message being read apart from the live run if that has started over without it. @param {Anchor} anchor */
  #reopen(anchor) {
    const { room } = this.props;
    const { history, detached } = room;
    const seq = seqOf(anchor.element);
    if (this.#run !== history || (history.first && seq >= history.first)) return;
    this.#isLive = false;
    room.place = this.reading.placeAt(anchor);
    detached.open(seq, true, true);
  }

  /** Returns where the person is reading, or where they are being brought back to. */
  #place() {
    const { place, detached } = this.props.room;
    const isOnTheWay = detached.isReturn.peek() && detached.target.peek()?.state === "opening";
    return isOnTheWay ? place : this.reading.place();
  }

  #keepPlace = () => {
    const { slug } = this.props.room;
    keepPlace(slug, isRemoved(slug) ? null : this.#place());
  };

  #toNewest() {
    const { room } = this.props;
    const wasLive = this.#run === room.history;
    room.showNewest();
    leaveMessage();
    if (wasLive) this.reading.scrollToBottom();
    else {
      this.reading.stayAtBottom();
      this.scroller.current.focus({ preventScroll: true }); // the pressed button goes away
    }
  }

  /** Gives the address back to the room once the person has read on from the message to the newest one. */
  #leaveTarget() {
    const { room } = this.props;
    const target = room.detached.target.peek();
    const element = target && this.#elementOf(target.seq);
    if (!element || !this.reading.isAbove(element)) return;
    room.detached.close();
    leaveMessage();
  }

  /** @param {number} seq @returns {Element | null} */
  #elementOf(seq) {
    return this.scroller.current.querySelector(`.message[data-seq="${seq}"]`);
  }

  /**
   * Returns the line that a deleted message is folded into, or the last message before one that left none.
   *
   * @param {number} seq
   */
  #lineOf(seq) {
    if (!this.#drawn.some((message) => message.seq === seq && message.deleted_at)) return null;
    const lines = [...this.scroller.current.querySelectorAll(".message[data-seq]")];
    return lines.findLast((line) => seqOf(line) <= seq) ?? lines[0] ?? null;
  }

  /** Loads messages once the last ones are drawn. Until then the view looks too empty. @param {() => void} load */
  #ifDrawn(load) {
    if (this.#drawn === this.props.room.detached.shown.peek().messages.peek()) load();
  }

  // ---- Effects

  /** Returns to the bottom when this person posts. */
  #followOwnPost() {
    const { room } = this.props;
    if (room.postCount.value === this.#postCount) return;
    this.#postCount = room.postCount.peek();
    room.showNewest();
    leaveMessage();
    this.reading.stayAtBottom();
  }

  /** Loads what a lost connection has kept from a view that cannot scroll any further. */
  #goOnLoading() {
    if (this.props.room.state.value === "joined") this.reading.update();
  }

  /** Watches the newest message while the person can see it and has not read it. */
  #watchEnd() {
    const { history, detached, hasLoaded, slug } = this.props.room;
    history.messages.value; // each new one is to be seen
    const isAtEnd = hasLoaded.value && this.reading.atBottom.value && detached.shown.value === history;
    const isNew = history.last > (membershipOf(slug)?.read_seq ?? Infinity);
    this.#end.watch(isLooking.value && isAtEnd && isNew ? history.last : 0);
  }

  /** @param {number} seq up to which everything was in sight */
  async #seen(seq) {
    (await forMembers()).seen(this.props.room.slug, seq);
  }

  /** Counts everything as read at the bottom, and what was there before at a message; trims what is far above. */
  #markRead() {
    const { history, detached, hasLoaded } = this.props.room;
    const last = history.messages.value.at(-1)?.seq ?? 0;
    const { atBottom, readTo } = this.reading;
    if (atBottom.value || (hasLoaded.value && !readTo.peek())) readTo.value = last;
    if (atBottom.value || detached.run.value) history.trim();
  }
}

/** Returns the place before the first of a run; 0 where it has the beginning of the room. @param {import("../../room/run.js").Run} run */
function placeBefore({ hasMore, first }) {
  return hasMore.value ? first - 1 : 0;
}
