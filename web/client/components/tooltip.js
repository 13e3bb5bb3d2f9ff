import { signal } from "@preact/signals";
import { Component, createRef } from "preact";
import { html } from "../html.js";
import { ANY_CHANGE, placeBeside } from "./place.js";

/**
 * Tooltip says what `data-tip` of the element under the mouse or the focus says, in the top layer: chunks clip what
 * they paint. The pointer may go onto it, and Escape closes it. Screen readers have the element's label.
 */
export class Tooltip extends Component {
  #words = signal("");
  #box = createRef();
  /** What it is about may move, change and go with its conversation. */
  #changes = new MutationObserver(() => this.#show(this.#subject?.isConnected ? this.#subject : null));
  /** @type {HTMLElement | null} */
  #subject = null;
  #listening = new AbortController();

  componentDidMount() {
    const on = (/** @type {string} */ event, /** @type {(event: any) => void} */ act) =>
      addEventListener(event, act, { signal: this.#listening.signal, capture: true, passive: true });
    on("pointerover", ({ pointerType, target }) => pointerType !== "touch" && this.#pointed(target));
    on("focusin", ({ target }) => target.matches(":focus-visible") && this.#pointed(target));
    on("focusout", () => this.#show(null));
    on("scroll", () => this.#show(null));
    on("keydown", ({ key }) => key === "Escape" && this.#show(null));
  }

  componentWillUnmount() {
    this.#listening.abort();
    this.#changes.disconnect();
  }

  render() {
    return html`<p class="tooltip" popover="manual" aria-hidden="true" dir="auto" ref=${this.#box}>${this.#words}</p>`;
  }

  /** @param {Element} target */
  #pointed(target) {
    if (!this.#box.current.contains(target)) this.#show(target.closest("[data-tip]"));
  }

  /** @param {HTMLElement | null} element */
  #show(element) {
    const { current: box } = this.#box;
    const words = element?.dataset.tip ?? "";
    this.#subject = element;
    this.#changes.disconnect();
    this.#words.value = words;
    box.togglePopover(Boolean(words));
    if (!element || !words) return;
    placeBeside(box, element.getBoundingClientRect());
    const content = element.closest(".content");
    if (content) this.#changes.observe(content, ANY_CHANGE);
  }
}
