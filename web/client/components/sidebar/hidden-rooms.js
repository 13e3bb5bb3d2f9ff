import { useSignal } from "@preact/signals";
import { html } from "../../html.js";
import { countMentions } from "../../rooms/mine.js";
import { countUnread } from "../../rooms/seen.js";
import { useRovingFocus } from "../list-hooks.js";
import { Mentions, Unread, UnsentMark } from "./room-row.js";

/** @typedef {import("../../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("../../visited-rooms.js").Unsent} Unsent */

/**
 * Draws the rooms of a section that the person has put out of sight, folded into one line.
 *
 * @param {object} props
 * @param {string} props.title of the section
 * @param {RoomSummary[]} props.rooms
 * @param {Map<string, Unsent>} props.unsent by slug
 * @param {(room: RoomSummary, tabIndex: number) => any} props.draw
 */
export function HiddenRooms({ title, rooms, unsent, draw }) {
  const isOpen = useSignal(false);
  const { tabIndexOf, ...handlers } = useRovingFocus(rooms.map(({ name }) => name));
  const waits = rooms.flatMap(({ name }) => unsent.get(name) ?? []);
  const [waiting, failed] = [sum(waits.map((each) => each.waiting)), sum(waits.map((each) => each.failed))];
  const [unread, mentions] = [sum(rooms.map(countUnread)), sum(rooms.map(countMentions))];
  return html`
    <button
      class="hidden-rooms"
      type="button"
      aria-expanded=${isOpen.value}
      onClick=${() => (isOpen.value = !isOpen.peek())}
    >
      ${rooms.length} hidden<span class="sr-only"> in ${title}</span>
      ${waits.length > 0 && html`<${UnsentMark} waiting=${waiting} failed=${failed} />`}
      ${mentions > 0 && html`<${Mentions} count=${mentions} />`}
      ${unread > 0 && html`<${Unread} count=${unread} isCounted=${false} />`}
    </button>
    ${
      isOpen.value &&
      html`
        <ul class="rooms" aria-label=${`Hidden in ${title}`} ...${handlers}>
          ${rooms.map((room) => draw(room, tabIndexOf(room.name)))}
        </ul>
      `
    }
  `;
}

/** @param {number[]} counts */
function sum(counts) {
  return counts.reduce((all, count) => all + count, 0);
}
