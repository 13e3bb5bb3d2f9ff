import { useSignal } from "@preact/signals";
import { html } from "../../html.js";
import { choices } from "../../rooms/choices.js";
import { listRooms } from "../../rooms/list.js";
import { goTo } from "../go-to.js";
import { useStillOrder } from "../list-hooks.js";
import { RoomRow } from "./room-row.js";
import { Section } from "./section.js";

/** @typedef {import("../../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("../../visited-rooms.js").Unsent} Unsent */

/** @param {RoomSummary} summary */
const nameOf = ({ name }) => name;

/**
 * Draws the rooms. Their order stands still while somebody points at them.
 *
 * @param {{here: string, unsent: import("@preact/signals").ReadonlySignal<Map<string, Unsent>>}} props
 */
export function RoomsSection({ here, unsent }) {
  const filter = useSignal("");
  const { ordered, handlers } = useStillOrder(listRooms(here), nameOf, choices.value);
  // Asked anew for a key, which may come before the frame that draws what was typed.
  const find = () => ordered.filter(({ name }) => name.includes(filter.value.trim().toLowerCase()));
  const rows = find();
  const draw = (/** @type {RoomSummary} */ summary, /** @type {number} */ tabIndex) =>
    html`
      <${RoomRow}
        key=${summary.name}
        summary=${summary}
        current=${summary.name === here}
        unsent=${unsent.value.get(summary.name)}
        tabIndex=${tabIndex}
      />
    `;
  const props = { id: "rooms-title", title: "Rooms", rows, keyOf: nameOf, draw, current: here };
  return html`
    <div class="sections" ...${handlers}>
      <${Section} ...${props} tools=${html`<${Filter} filter=${filter} find=${find} />`}>
        <p class="no-room" role="status">${rows.length ? "" : "No room here has such a name."}</p>
      <//>
    </div>
  `;
}

/** @param {{filter: import("@preact/signals").Signal<string>, find: () => RoomSummary[]}} props */
function Filter({ filter, find }) {
  const onKeyDown = (/** @type {any} */ event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      event.target.closest(".section").querySelector("[data-stop]")?.focus();
    }
    if (event.key === "Escape" && filter.value) {
      event.stopPropagation(); // closes nothing else
      filter.value = "";
    }
    const [first] = filter.value.trim() ? find() : [];
    if (event.key === "Enter" && first) {
      filter.value = "";
      goTo(first.name);
    }
  };
  return html`
    <input
      class="filter"
      type="text"
      aria-label="Filter rooms"
      placeholder="Filter"
      autocomplete="off"
      autocapitalize="none"
      spellcheck=${false}
      enterkeyhint="go"
      value=${filter.value}
      onInput=${(/** @type {any} */ event) => (filter.value = event.target.value)}
      onKeyDown=${onKeyDown}
    />
  `;
}
