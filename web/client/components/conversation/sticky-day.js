import { signal } from "@preact/signals";
import { Component, createRef } from "preact";
import { html } from "../../html.js";
import { dayName, dayOf, today } from "../../time.js";
import { firstBelow } from "./reading.js";

/**
 * StickyDay keeps the day of the topmost message in sight. The lines between the days cannot: they stick to nothing
 * outside of their chunk. Screen readers find those lines.
 */
export class StickyDay extends Component {
  element = createRef();
  /** The server's time of a message of that day; empty while a line says it. */
  #time = signal("");
  #frame = 0;

  componentDidMount() {
    const scroller = this.#scroller;
    scroller.addEventListener("scroll", this.#update, { passive: true });
    this.#update();
  }

  componentWillUnmount() {
    cancelAnimationFrame(this.#frame);
  }

  render() {
    const { value: time } = this.#time;
    return html`
      <p class="sticky-day" aria-hidden="true" ref=${this.element}>
        ${time && html`<span>${dayName(time, today.value)}</span>`}
      </p>
    `;
  }

  get #scroller() {
    return this.element.current.parentElement.querySelector(".scroller");
  }

  /** Looks once a frame at what is at the top. */
  #update = () => {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const time = timeAtTop(this.#scroller);
      const known = this.#time.peek();
      if (!time || !known || dayOf(time) !== dayOf(known)) this.#time.value = time;
    });
  };
}

/** Returns the time of the topmost message; empty if nothing is above it, or the line of its day. @param {Element} scroller */
function timeAtTop(scroller) {
  if (!scroller.scrollTop) return "";
  const { top } = scroller.getBoundingClientRect();
  // Children, as a selector would look at every element of 10,000 messages: 3.6 ms a frame.
  const chunk = firstBelow(scroller.querySelector(".log")?.children ?? [], top);
  const row = chunk && firstBelow(chunk.children, top);
  return row?.matches(".message") ? (row.querySelector("time")?.dateTime ?? "") : "";
}
