import { useMemo } from "preact/hooks";
import { html } from "../../html.js";
import { Trash } from "../icons.js";
import { Message } from "./message.js";
import { openSignal, setOpen } from "./opened.js";

/** @typedef {import("../../messages.js").Row} Row */

/**
 * Draws a run of deleted messages as one line, which opens.
 *
 * @param {{room: import("../../room/room.js").Room, messages: Row[]}} props
 */
export function GoneRun({ room, messages }) {
  const { id, seq } = /** @type {Row} */ (messages[0]);
  const name = `${id} run`;
  const isOpen = useMemo(() => openSignal(name), [name]);
  return html`
    <article class="message gone" data-seq=${seq} data-state="said" tabindex="-1">
      <button
        class="gone-words"
        type="button"
        tabindex="-1"
        aria-expanded=${isOpen.value}
        onClick=${() => setOpen(name, isOpen, !isOpen.value)}
      >
        <${Trash} />${messages.length} messages deleted
      </button>
    </article>
    ${
      isOpen.value &&
      messages.map((message) => html`<${Message} key=${message.seq} room=${room} message=${message} first />`)
    }
  `;
}
