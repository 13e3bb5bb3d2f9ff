import { signal } from "@preact/signals";
import { Component, createRef } from "preact";
import { html } from "../../html.js";
import { openSignal, setOpen } from "./opened.js";

/** The event by which a fold tells the conversation that it grows downwards, and that the view stays. */
export const UNFOLD = "unfold";

/** The lines that a fold shows; text.css has their height. */
export const LINES = 20;
/** Letters in a line of the narrowest screen. */
const NARROWEST = 30;

/** Whether a text may be longer than a fold. @param {string} text */
export function mayBeLong(text) {
  if (text.length > LINES * NARROWEST) return true;
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines > LINES;
}

/**
 * Fold shows 20 lines, and all at a press. Its height is bound before the layout, so that it does not jump; the button
 * is there once the browser has found the text to be longer.
 *
 * @extends {Component<{name: string, children?: any}>}
 */
export class Fold extends Component {
  #isOpen = openSignal(this.props.name);
  #isTall = signal(false);
  #box = createRef();
  #inner = createRef();
  #wasOpen = this.#isOpen.peek();
  #resizes = new ResizeObserver(() => this.#measure());

  componentDidMount() {
    this.#resizes.observe(this.#inner.current);
  }

  componentWillUnmount() {
    this.#resizes.disconnect();
  }

  componentDidUpdate() {
    const isOpen = this.#isOpen.peek();
    if (isOpen === this.#wasOpen) return;
    this.#wasOpen = isOpen;
    if (!isOpen) this.#box.current.scrollIntoView({ block: "nearest" });
    else this.#box.current.dispatchEvent(new CustomEvent(UNFOLD, { bubbles: true }));
    if (this.#inner.current.contains(document.activeElement))
      document.activeElement?.scrollIntoView({ block: "nearest" });
  }

  render() {
    const isOpen = this.#isOpen.value;
    const isLonger = isOpen || this.#isTall.value;
    return html`
      <div class=${["fold", isOpen && "open", isLonger && "tall"].filter(Boolean).join(" ")} ref=${this.#box}>
        <div ref=${this.#inner} onFocusIn=${this.#onFocusIn}>${this.props.children}</div>
        ${
          isLonger &&
          html`
          <button class="show" type="button" tabindex="-1" aria-expanded=${isOpen} onClick=${() => this.#set(!isOpen)}>
            ${isOpen ? "Show less" : "Show all"}
          </button>
        `
        }
      </div>
    `;
  }

  /** @param {boolean} isOpen */
  #set(isOpen) {
    setOpen(this.props.name, this.#isOpen, isOpen);
  }

  /** Opens for the focus, which may not be out of sight. */
  #onFocusIn = (/** @type {FocusEvent} */ { target }) => {
    const { bottom } = this.#box.current.getBoundingClientRect();
    if (/** @type {Element} */ (target).getBoundingClientRect().bottom > bottom) this.#set(true);
  };

  #measure() {
    if (this.#isOpen.peek()) return;
    this.#isTall.value = this.#inner.current.offsetHeight > this.#box.current.clientHeight + 1;
  }
}
