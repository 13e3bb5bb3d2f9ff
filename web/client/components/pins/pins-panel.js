import { useMemo } from "preact/hooks";
import { followOwnLink, messagePath } from "../../browser/route.js";
import { html } from "../../html.js";
import { name } from "../../me.js";
import { excerptOf } from "../../text/excerpt.js";
import { tint } from "../../text/names.js";
import { dayName, fullDate, timeOfDay, today } from "../../time.js";
import { Unpin } from "../icons.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */

/** Draws what is pinned in the room, the latest first. @param {{room: Room}} props */
export function PinsPanel({ room }) {
  const pins = useMemo(() => room.readPinned(), [room]);
  const rows = pins.rows.value;
  return html`
    <h2>Pinned ${rows.length > 0 && html`<span class="count">${rows.length}</span>`}</h2>
    <div class="pins">
      <ul aria-label="Pinned messages">
        ${rows.map((row) => html`<${Pinned} key=${row.seq} room=${room} message=${row} />`)}
      </ul>
      <${State} pins=${pins} isEmpty=${!rows.length} />
    </div>
  `;
}

/** @param {{room: Room, message: Row}} props */
function Pinned({ room, message }) {
  const { seq, name: author, inserted_at: time } = message;
  return html`
    <li>
      <a href=${messagePath(room.slug, seq)} title="Show the message" onClick=${followOwnLink}>
        <span class="byline">
          <bdi class="author tint-${tint(author)}">${author}</bdi>
          <time datetime=${time} title=${fullDate(time)}>${dayName(time, today.value)}, ${timeOfDay(time)}</time>
        </span>
        <span class="excerpt" dir="auto">${excerptOf(message.message)}</span>
      </a>
      ${name.value && html`<${UnpinButton} act=${() => room.unpin(message)} />`}
    </li>
  `;
}

/** @param {{act: () => void}} props */
function UnpinButton({ act }) {
  const unpin = (/** @type {any} */ { currentTarget }) => {
    const row = currentTarget.closest("li"); // which goes away
    const next = row.nextElementSibling ?? row.previousElementSibling;
    (next?.querySelector("a") ?? document.querySelector(".close-panel"))?.focus();
    act();
  };
  return html`
    <button class="quiet-button" type="button" aria-label="Unpin" title="Unpin" onClick=${unpin}><${Unpin} /></button>
  `;
}

/** @param {{pins: import("../../room/pins.js").Pins, isEmpty: boolean}} props */
function State({ pins, isEmpty }) {
  if (pins.why.value) {
    return html`
      <p class="older">
        The pinned messages cannot be read: ${pins.why.value}.
        <button class="link" type="button" onClick=${() => pins.load()}>Try again</button>
      </p>
    `;
  }
  if (!isEmpty) return null;
  return html`<p class="older">${pins.isLoading.value ? "Loading…" : "Nothing is pinned here."}</p>`;
}
