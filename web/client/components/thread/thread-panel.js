import { Component, createRef } from "preact";
import { html } from "../../html.js";
import { today } from "../../time.js";
import { Chunk } from "../conversation/chunk.js";
import { leavesNothing } from "../conversation/gone.js";
import { MessageTools } from "../conversation/message-tools.js";
import { PendingMessage } from "../conversation/pending.js";
import { openedThread } from "./opened.js";
import { ThreadComposer } from "./thread-composer.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {import("../../room/thread.js").Thread} Thread */

/** Closer than this counts as the end. */
const NEAR_PX = 60;

/** Draws a message with its replies, and where one replies to it. @param {{room: Room}} props */
export function ThreadPanel({ room }) {
  const opened = openedThread.value;
  if (opened?.slug !== room.slug) return null;
  const { thread } = opened;
  const count = thread.rows.value[0]?.replies ?? 0;
  return html`
    <h2>Thread ${count > 0 && html`<span class="count">${count.toLocaleString()}</span>`}</h2>
    <${Replies} key=${thread.root} room=${room} thread=${thread} />
    <${ThreadComposer} key=${thread.root} room=${room} root=${thread.root} />
  `;
}

/**
 * Replies draws the messages of a thread, and stays at the last while one looks at it.
 *
 * @extends {Component<{room: Room, thread: Thread}>}
 */
class Replies extends Component {
  #scroller = createRef();
  /** How many of this person's replies were on their way. */
  #ownCount = 0;

  getSnapshotBeforeUpdate() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller.current;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  /** @param {unknown} _props @param {unknown} _state @param {boolean} wasAtEnd */
  componentDidUpdate(_props, _state, wasAtEnd) {
    const { current: scroller } = this.#scroller;
    if (wasAtEnd || this.#hasNewOwn()) scroller.scrollTop = scroller.scrollHeight;
  }

  /** Whether this person has just replied. */
  #hasNewOwn() {
    const { length } = this.#unheard();
    const isNew = length > this.#ownCount;
    this.#ownCount = length;
    return isNew;
  }

  render() {
    const { room, thread } = this.props;
    const rows = thread.rows.value.filter((row) => !leavesNothing(row));
    const root = rows.filter(({ seq }) => seq === thread.root);
    const unheard = this.#unheard();
    return html`
      <div class="conversation thread">
        <div class="scroller" ref=${this.#scroller} tabindex="0" role="region" aria-label="Replies">
          <div class="content">
            <div
              class="log"
              role="log"
              aria-label="Messages of the thread"
              aria-relevant="additions"
              aria-busy=${thread.isLoading.value}
            >
              ${this.#chunk(root)}
              <${Earlier} thread=${thread} />
              ${this.#chunk(rows.slice(root.length), root[0])}
            </div>
            ${unheard.map((post) => html`<${PendingMessage} key=${post.id} room=${room} post=${post} first isInThread />`)}
          </div>
        </div>
        <${MessageTools} room=${room} />
      </div>
    `;
  }

  /** @param {Row[]} messages @param {Row} [before] */
  #chunk(messages, before) {
    const marks = { today: today.value, unsaved: "", firstNewSeq: 0, target: 0 };
    return html`<${Chunk} room=${this.props.room} messages=${messages} before=${before} ...${marks} isInThread />`;
  }

  #unheard() {
    const { room, thread } = this.props;
    const replies = new Set(thread.rows.value.map(({ seq }) => seq));
    return room.unheard.value.filter((post) => replies.has(post.reply_to ?? 0));
  }
}

/** Draws what leads to the replies that are not read. @param {{thread: Thread}} props */
function Earlier({ thread }) {
  const { value: why } = thread.why;
  if (thread.isLoading.value) return html`<p class="older">Loading…</p>`;
  if (!why && !thread.hasMore.value) return null;
  return html`
    <p class="older">
      ${why && `The replies cannot be read: ${why}. `}
      <button class="link" type="button" onClick=${() => thread.loadMore()}>
        ${why ? "Try again" : "Earlier replies"}
      </button>
    </p>
  `;
}
