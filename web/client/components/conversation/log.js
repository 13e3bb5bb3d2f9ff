import { computed, effect } from "@preact/signals";
import { Component, createRef } from "preact";
import { html } from "../../html.js";
import { name as myName } from "../../me.js";
import { today } from "../../time.js";
import { Chunk, chunkOf, cutIntoChunks } from "./chunk.js";
import { Down } from "../icons.js";
import { MessageTools } from "./message-tools.js";
import { Pending } from "./pending.js";
import { Beginning, Quiet, Skeleton } from "./placeholders.js";
import { Reading } from "./reading.js";
import { StickyDay } from "./sticky-day.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Posted} Posted */

/**
 * Log draws the messages, the pending posts, and the button that leads to the newest.
 *
 * @extends {Component<{room: Room}>}
 */
export class Log extends Component {
  scroller = createRef();
  content = createRef();
  reading = new Reading(() => this.#loadOlder());
  /** The number of the others' messages below `readTo`. */
  #unread = computed(() => {
    const since = this.props.room.history.after(this.reading.readTo.value);
    return since.filter((message) => message.name !== myName.value).length;
  });
  /** @type {Posted[]} the messages of the last render */
  #drawn = [];
  /** @type {(() => void)[]} functions that end the effects */
  #effects = [];

  // ---- Lifecycle

  componentDidMount() {
    this.reading.attach(this.scroller.current, this.content.current);
    this.#effects = [effect(() => this.#markRead()), effect(() => this.#followOwnPost())];
  }

  componentWillUnmount() {
    this.#effects.forEach((end) => end());
    this.reading.detach();
  }

  getSnapshotBeforeUpdate() {
    return this.reading.anchor();
  }

  /** @param {unknown} _props @param {unknown} _state @param {import("./reading.js").Anchor} anchor */
  componentDidUpdate(_props, _state, anchor) {
    this.reading.restore(anchor);
  }

  // ---- Rendering

  render() {
    const { room } = this.props;
    const held = (this.#drawn = room.history.messages.value);
    const isBusy = !room.hasLoaded.value || room.loadingOlder.value;
    const unsaved = room.posts.pending.value.filter((post) => post.heard).map((post) => post.id);
    return html`
      <div class="conversation">
        <div class="scroller" ref=${this.scroller} tabindex="0" role="region" aria-label="Conversation">
          <div class="content" ref=${this.content}>
            <${Top} room=${room} />
            <div class="log" role="log" aria-label=${`Messages in #${room.slug}`} aria-busy=${isBusy}>
              ${cutIntoChunks(held).map((chunk, index, all) => this.#chunk(chunk, all[index - 1]?.at(-1), unsaved))}
            </div>
            <${Pending} room=${room} />
          </div>
        </div>
        <${StickyDay} />
        <${MessageTools} room=${room} />
        <${Pill} reading=${this.reading} unread=${this.#unread} />
      </div>
    `;
  }

  /** @param {Posted[]} messages @param {Posted | undefined} before @param {string[]} unsaved */
  #chunk(messages, before, unsaved) {
    const here = unsaved.filter((id) => messages.some((message) => message.id === id)).join(" ");
    const last = /** @type {Posted} */ (messages.at(-1));
    const { value: firstNewSeq } = this.props.room.firstNewSeq;
    return html`
      <${Chunk}
        key=${chunkOf(last)}
        messages=${messages}
        before=${before}
        today=${today.value}
        unsaved=${here}
        firstNewSeq=${firstNewSeq <= last.seq && firstNewSeq > (before?.seq ?? 0) ? firstNewSeq : 0}
      />
    `;
  }

  // ---- Effects

  /** Loads older messages once the last ones are drawn. Until then the view looks too empty. */
  #loadOlder() {
    const { room } = this.props;
    if (this.#drawn === room.history.messages.peek()) room.loadOlder();
  }

  /** Returns to the bottom when this person posts. */
  #followOwnPost() {
    if (this.props.room.postCount.value) this.reading.atBottom.value = true;
  }

  /** Counts everything as read at the bottom, and trims what is far above. */
  #markRead() {
    const { history } = this.props.room;
    const last = history.messages.value.at(-1);
    if (!this.reading.atBottom.value) return;
    this.reading.readTo.value = last?.seq ?? 0;
    history.trim();
  }
}

/** Draws what is above the oldest message. @param {{room: Room}} props */
function Top({ room }) {
  const empty = !room.history.messages.value.length;
  if (empty && room.state.value === "refused") return null;
  if (!room.hasLoaded.value && empty) return html`<${Skeleton} />`;
  if (empty) return room.posts.pending.value.length ? null : html`<${Quiet} slug=${room.slug} />`;
  if (room.history.hasMore.value)
    return html`<p class="older">${room.loadingOlder.value ? "Loading older messages…" : ""}</p>`;
  return html`<${Beginning} slug=${room.slug} />`;
}

/**
 * Draws the button that leads to the newest messages, while they are out of sight.
 *
 * @param {{reading: Reading, unread: import("@preact/signals").ReadonlySignal<number>}} props
 */
function Pill({ reading, unread }) {
  const count = unread.value;
  if (reading.atBottom.value || (!count && !reading.isFar.value)) return null;
  const label = count ? `${count} new ${count === 1 ? "message" : "messages"}` : "Newest messages";
  return html`
    <button class=${count ? "pill news" : "pill"} type="button" onClick=${() => reading.scrollToBottom()}>
      <${Down} />${label}
    </button>
  `;
}
