import { useMemo } from "preact/hooks";
import { html } from "../../html.js";
import { openSignal, setOpen } from "./opened.js";

/**
 * Draws what is hidden until somebody presses it. It has its size from the start, so that nothing moves then; a real
 * button would not break into lines. The element stays the same, and so does the focus.
 *
 * @param {{name: string, children?: any}} props `name` is the message's id and the place in it
 */
export function Spoiler({ name, children }) {
  const isOpen = useMemo(() => openSignal(name), [name]);
  if (isOpen.value) return html`<span class="spoiler open" tabindex="-1"><span>${children}</span></span>`;
  const reveal = () => setOpen(name, isOpen, true);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    reveal();
  };
  return html`
    <span class="spoiler" role="button" tabindex="-1" onClick=${reveal} onKeyDown=${onKeyDown}>
      <span inert aria-hidden="true">${children}</span><span class="sr-only">Show spoiler</span>
    </span>
  `;
}
