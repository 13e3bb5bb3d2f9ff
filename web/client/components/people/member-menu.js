import { signal } from "@preact/signals";
import { createRef } from "preact";
import { problemOf } from "../../account/refusals.js";
import { moveFocus } from "../../browser/focus.js";
import { showPopover } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { openDirect } from "../direct.js";
import { drawNow } from "../draw-now.js";
import { placeBeside } from "../place.js";
import { openRemoval } from "../room-dialogs/open.js";
import { Item } from "../sidebar/room-menu.js";
import { showToast } from "../toast.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Companion} Companion */
/** @typedef {import("./member-rights.js").Offer} Offer */
/** @typedef {{person: Companion, offers: Offer[], isMe: boolean}} Subject */

/** Whose menu is open, or was open last. */
const subject = signal(/** @type {Subject | null} */ (null));
/** @type {{current: HTMLElement | null}} */
const menu = createRef();

/** Opens the menu of a person beside its button. @param {Subject} of @param {HTMLElement} button */
export function openMemberMenu(of, button) {
  drawNow(() => (subject.value = of));
  if (!menu.current) return;
  showPopover(menu.current);
  placeBeside(menu.current, button.getBoundingClientRect());
  menu.current.querySelector("button")?.focus();
}

/** Draws the menu: one for all. The browser closes it on Escape or a tap outside. @param {{room: Room}} props */
export function MemberMenu({ room }) {
  const { person, offers = [], isMe } = subject.value ?? {};
  const act = (/** @type {() => void} */ chosen) => () => {
    menu.current?.hidePopover();
    chosen();
  };
  const onKeyDown = (/** @type {any} */ event) => moveFocus(event, event.currentTarget.querySelectorAll("button"));
  return html`
    <div
      class="menu"
      popover="auto"
      role="menu"
      aria-label=${`What to do with ${person?.name ?? ""}`}
      ref=${menu}
      onKeyDown=${onKeyDown}
    >
      ${person && !isMe && html`<${Item} words="Send a message" onClick=${act(() => openDirect(person.handle))} />`}
      ${
        person &&
        offers.map(
          (offer) =>
            html`<${Item} key=${offer.words} words=${offer.words} onClick=${act(() => take(room, person, offer))} />`,
        )
      }
    </div>
  `;
}

/** @param {Room} room @param {Companion} person @param {Offer} offer */
async function take(room, person, { event, payload, isGrave }) {
  if (isGrave) return openRemoval({ room, person, isBan: "ban" in payload });
  try {
    await room.ask(event, payload);
  } catch (refusal) {
    const isGone = /** @type {import("../../messages.js").Refused} */ (refusal).reason === "not_found";
    showToast(isGone ? "They are not in this room any more." : problemOf(/** @type {any} */ (refusal)).words);
  }
}
