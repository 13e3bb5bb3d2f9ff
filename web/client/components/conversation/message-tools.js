import { effect, signal } from "@preact/signals";
import { Component, createRef } from "preact";
import { showDialog } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { drawNow } from "../draw-now.js";
import { ANY_CHANGE } from "../place.js";
import { actionsFor } from "./actions.js";
import { findMessage } from "./find.js";
import { moveAmongMessages } from "./message-keys.js";
import { Pointing } from "./pointing.js";
import { Sheet } from "./sheet.js";
import { Toolbar } from "./toolbar.js";

/** @typedef {import("../../room/room.js").Room} Room */

/** So much of the toolbar covers its message; the rest is above it. */
const OVERLAP_PX = 16;
/** In a narrow thread, where it would cover the line that says whose message it is, it is below: so far over its edge. */
const EDGE_PX = 4;

/**
 * MessageTools draws what acts on a message: a toolbar at the one that the mouse or the focus is on, and a sheet for
 * fingers. There is one of each for all messages, in the top layer, as chunks clip what they paint.
 *
 * @extends {Component<{room: Room}>}
 */
export class MessageTools extends Component {
  toolbar = createRef();
  sheet = createRef();
  /** The message that the sheet is for. */
  #pressed = signal(/** @type {HTMLElement | null} */ (null));
  #pointing = new Pointing((message) => this.#openSheet(message));
  /** Messages move without a scroll when the composer or a panel takes room, or one above changes its height, */
  #resizes = new ResizeObserver(() => this.#place());
  /** and in a short conversation, which keeps its height, with each change of what is in it. */
  #changes = new MutationObserver(() => this.#placeInFrame());
  #frame = 0;
  /** Hides the toolbar as soon as it is nobody's: until the next frame keys would go into it. */
  #endHiding = () => {};

  componentDidMount() {
    const conversation = this.toolbar.current.parentElement;
    this.#pointing.attach(conversation);
    conversation.addEventListener("keydown", this.#act);
    conversation.addEventListener("keydown", moveAmongMessages);
    conversation.addEventListener("scroll", this.#place, { capture: true, passive: true });
    const content = conversation.querySelector(".content");
    for (const box of [conversation, content]) this.#resizes.observe(box);
    this.#changes.observe(content, ANY_CHANGE);
    this.#endHiding = effect(() => {
      if (!this.#pointing.target.value) queueMicrotask(this.#place);
    });
  }

  componentDidUpdate() {
    this.#place();
  }

  componentWillUnmount() {
    this.#pointing.detach();
    this.#endHiding();
    this.#resizes.disconnect();
    this.#changes.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  render() {
    const { room } = this.props;
    const { value: target } = this.#pointing.target;
    const isByKeys = target !== null && target === this.#pointing.focused.value;
    return html`
      <${Toolbar} toolbar=${this.toolbar} room=${room} element=${target} isByKeys=${isByKeys} />
      <${Sheet} dialog=${this.sheet} room=${room} element=${this.#pressed.value} />
    `;
  }

  /** @param {HTMLElement} message */
  #openSheet(message) {
    drawNow(() => (this.#pressed.value = message));
    showDialog(this.sheet.current);
  }

  /** Does what a key is for, with the message that has the focus. @param {KeyboardEvent} event */
  #act = (event) => {
    const { room } = this.props;
    const element = this.#pointing.focused.peek();
    if (!element || event.target !== element || event.altKey || event.ctrlKey || event.metaKey) return;
    const message = findMessage(room, element.dataset.id);
    const action = message && actionsFor(message, room, element).find(({ key }) => key === event.key);
    if (!action) return;
    event.preventDefault();
    action.act({ room, message, element, anchor: element });
  };

  /** Waits for the next frame: a change may come while the browser hides another popover, when it shows none. */
  #placeInFrame() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(this.#place);
  }

  /** Shows the toolbar at the right of its message, as long as that is on the screen. */
  #place = () => {
    const { current: toolbar } = this.toolbar;
    const target = this.#pointing.target.peek();
    if (!toolbar) return;
    // A line for several messages has no id, and nothing can be done with it.
    const box = target?.isConnected && target.dataset.id ? target.getBoundingClientRect() : undefined;
    if (!box) return void toolbar.togglePopover(false); // without a layout: this is called at each change
    const { top, bottom } = toolbar.parentElement.getBoundingClientRect();
    toolbar.togglePopover(box.bottom > top && box.top < bottom);
    toolbar.style.right = `${innerWidth - box.right + 12}px`;
    const { offsetHeight: height } = toolbar;
    const below = box.bottom - EDGE_PX;
    const isBelow = toolbar.parentElement.matches(".thread") && below + height <= bottom;
    toolbar.style.top = `${isBelow ? below : Math.max(top + 2, box.top + OVERLAP_PX - height)}px`;
  };
}
