import { signal } from "@preact/signals";
import { Component, createRef } from "preact";
import { moveFocus } from "../../browser/focus.js";
import { showDialog } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { actionsFor } from "./actions.js";
import { leaveToolbar, moveAmongMessages } from "./message-keys.js";
import { Pointing } from "./pointing.js";
import { Sheet } from "./sheet.js";

/** @typedef {import("../../room/room.js").Room} Room */

/**
 * MessageTools draws what acts on a message: a toolbar at the one that the mouse or the focus is on, and a sheet for
 * fingers. There is one of each for all messages, in the top layer, as chunks clip what they paint.
 *
 * @extends {Component<{room: Room}>}
 */
export class MessageTools extends Component {
  toolbar = createRef();
  sheet = createRef();
  /** The id of the message that the sheet is for. */
  #pressed = signal("");
  #pointing = new Pointing((message) => this.#openSheet(message));

  componentDidMount() {
    const conversation = this.toolbar.current.parentElement;
    this.#pointing.attach(conversation);
    conversation.addEventListener("keydown", moveAmongMessages);
    conversation.addEventListener("scroll", this.#place, { capture: true, passive: true });
    this.#place();
  }

  componentDidUpdate() {
    this.#place();
  }

  componentWillUnmount() {
    this.#pointing.detach();
  }

  render() {
    const { room } = this.props;
    const { value: target } = this.#pointing.target;
    const message = target && find(room, target.dataset.id);
    const pressed = find(room, this.#pressed.value);
    const isByKeys = target !== null && target === this.#pointing.focused.value;
    const onKeyDown = (/** @type {any} */ event) =>
      leaveToolbar(event, target) || moveFocus(event, event.currentTarget.querySelectorAll("button"), "horizontal");
    return html`
      <div
        class="toolbar"
        popover="manual"
        role="toolbar"
        aria-label=${message ? `Actions for the message by ${message.name}` : "Actions"}
        ref=${this.toolbar}
        onKeyDown=${onKeyDown}
      >
        ${message && isByKeys && html`<time datetime=${message.inserted_at}>${fullDate(message.inserted_at)}</time>`}
        ${message && actionsFor(message).map((action, index) => this.#button(action, message.id, index))}
      </div>
      <${Sheet} dialog=${this.sheet} message=${pressed} slug=${room.slug} />
    `;
  }

  /** @param {import("./actions.js").Action} action @param {string} id @param {number} index */
  #button({ label, icon: Icon, act }, id, index) {
    const { room } = this.props;
    const take = () => {
      const message = find(room, id); // it may have changed since this was drawn
      if (message) act(message, room.slug);
    };
    return html`
      <button
        type="button"
        aria-label=${label}
        title=${label}
        tabindex=${index ? -1 : 0}
        onClick=${take}
      >
        <${Icon} />
      </button>
    `;
  }

  /** @param {HTMLElement} message */
  #openSheet(message) {
    this.#pressed.value = message.dataset.id ?? "";
    showDialog(this.sheet.current);
  }

  /** Shows the toolbar at the right end of its message, as long as that is on the screen. */
  #place = () => {
    const { current: toolbar } = this.toolbar;
    const target = this.#pointing.target.peek();
    if (!toolbar) return;
    const box = target?.isConnected ? target.getBoundingClientRect() : undefined;
    const { top, bottom } = toolbar.parentElement.getBoundingClientRect();
    toolbar.togglePopover(box !== undefined && box.bottom > top && box.top < bottom);
    if (!box) return;
    toolbar.style.right = `${innerWidth - box.right + 12}px`;
    toolbar.style.top = `${Math.max(top + 2, box.top - 18)}px`;
  };
}

/** @param {Room} room @param {string | undefined} id */
function find(room, id) {
  const isIt = (/** @type {{id: string}} */ message) => message.id === id;
  const held = room.detached.shown.peek().messages.peek();
  return id ? (held.findLast(isIt) ?? room.posts.pending.peek().find(isIt)) : undefined;
}
