import { createRef } from "preact";
import { problemOf } from "../../account/refusals.js";
import { signOut } from "../../account/identity.js";
import { moveFocus } from "../../browser/focus.js";
import { showPopover } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { isNotifying, mayNotify, toggleNotifications } from "../../memberships/notifications.js";
import { markAllRead } from "../../memberships/read-marks.js";
import { openAccount } from "../account/open.js";
import { placeBeside } from "../place.js";
import { showToast } from "../toast.js";

/** @type {{current: HTMLElement | null}} */
const menu = createRef();

/** Opens the menu of one's own account beside its button. @param {HTMLElement} button */
export function openMeMenu(button) {
  if (!menu.current) return;
  showPopover(menu.current);
  placeBeside(menu.current, button.getBoundingClientRect());
  menu.current.querySelector("button")?.focus();
}

/** Draws the menu. The browser closes it on Escape or a tap outside. */
export function MeMenu() {
  const act = (/** @type {() => void} */ chosen) => () => {
    menu.current?.hidePopover();
    chosen();
  };
  const onKeyDown = (/** @type {any} */ event) => {
    if (event.key === "Escape") event.stopPropagation(); // closes the menu alone, and not the drawer
    moveFocus(event, event.currentTarget.querySelectorAll("button"));
  };
  return html`
    <div class="menu" popover="auto" role="menu" aria-label="Your account" ref=${menu} onKeyDown=${onKeyDown}>
      <button type="button" role="menuitem" onClick=${act(openAccount)}>Account…</button>
      <button type="button" role="menuitem" onClick=${act(readAll)}>Mark all as read</button>
      ${
        mayNotify() &&
        html`
          <button type="button" role="menuitemcheckbox" aria-checked=${isNotifying.value} onClick=${act(notify)}>
            Desktop notifications
          </button>
        `
      }
      <button type="button" role="menuitem" onClick=${act(leave)}>Sign out</button>
    </div>
  `;
}

/** Makes everything read. The key for it does the same. */
export async function readAll() {
  const why = await markAllRead();
  showToast(why ? `That did not work: ${why}.` : "Everything is marked as read");
}

async function notify() {
  const why = await toggleNotifications();
  if (why) showToast(why);
}

async function leave() {
  try {
    await signOut();
  } catch (refusal) {
    showToast(problemOf(/** @type {import("../../account/api.js").Refusal} */ (refusal)).words);
  }
}
