import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../../html.js";
import { Close, Logo } from "../icons.js";
import { PaletteButton } from "../palette/palette.js";
import { closeDrawer, isDrawerOpen } from "./drawer.js";
import { Me } from "./me.js";
import { RoomMenu } from "./room-menu.js";
import { RoomsSection } from "./rooms-section.js";

/** @typedef {import("../../visited-rooms.js").Unsent} Unsent */
/** @template T @typedef {import("@preact/signals").ReadonlySignal<T>} ReadonlySignal */

/**
 * Draws the rooms: a column, and on narrow screens a drawer.
 *
 * @param {{here: string, unsent: ReadonlySignal<Map<string, Unsent>>}} props
 */
export function Sidebar({ here, unsent }) {
  const nav = useRef(/** @type {HTMLElement | null} */ (null));
  const open = isDrawerOpen.value;
  useLayoutEffect(() => {
    if (!open) return undefined;
    nav.current?.querySelector("button")?.focus();
    return () => {
      // Who has chosen a room is in the composer already.
      const { activeElement } = document;
      if (activeElement !== document.body && !nav.current?.contains(activeElement)) return;
      /** @type {HTMLElement | null} */ (document.querySelector(".menu-button"))?.focus();
    };
  }, [open]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && closeDrawer();
  return html`
    <nav id="rooms" class=${open ? "sidebar open" : "sidebar"} aria-label="Rooms" ref=${nav} onKeyDown=${onKeyDown}>
      <div class="brand">
        <${Logo} /><span>Chatter</span>
        <button class="quiet-button close" type="button" aria-label="Close rooms" onClick=${closeDrawer}>
          <${Close} />
        </button>
      </div>
      <${PaletteButton} />
      <${RoomsSection} here=${here} unsent=${unsent} />
      <${Me} />
      <${RoomMenu} />
    </nav>
    <div class="scrim" onClick=${closeDrawer}></div>
  `;
}
