import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { html } from "../../html.js";
import { listRooms } from "../../rooms/list.js";
import { countUnread } from "../../rooms/seen.js";
import { Menu } from "../icons.js";
import { isDrawerOpen, openDrawer } from "./drawer.js";

/** @typedef {import("../../messages.js").RoomSummary} RoomSummary */

/** Draws the button that opens the drawer. @param {{here: string}} props */
export function MenuButton({ here }) {
  const isNew = (/** @type {RoomSummary} */ summary) => summary.name !== here && countUnread(summary) > 0;
  const { value: news } = useMemo(() => computed(() => listRooms(here).some(isNew)), [here]);
  return html`
    <button
      class=${news ? "quiet-button menu-button news" : "quiet-button menu-button"}
      type="button"
      aria-label=${news ? "Rooms, new messages" : "Rooms"}
      aria-controls="rooms"
      aria-expanded=${isDrawerOpen.value}
      onClick=${openDrawer}
    >
      <${Menu} />
    </button>
  `;
}
