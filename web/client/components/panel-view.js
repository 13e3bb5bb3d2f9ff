import { isComposing } from "../browser/keys.js";
import { isOwnLink } from "../browser/route.js";
import { isWide } from "../browser/viewport.js";
import { html } from "../html.js";
import { account } from "../me.js";
import { Close } from "./icons.js";
import { closePanel, openedPanel, panelDialog } from "./panel.js";
import { PeoplePanel } from "./people/people-panel.js";
import { PinsPanel } from "./pins/pins-panel.js";
import { ThreadPanel } from "./thread/thread-panel.js";
import { Toast } from "./toast.js";

/** @typedef {import("../room/room.js").Room} Room */

/** What can stand beside the conversation: the name that screen readers say, and what draws the heading and the rest. */
const PANELS = {
  people: { label: "Here now", Content: PeoplePanel },
  thread: { label: "Thread", Content: ThreadPanel },
  pins: { label: "Pinned messages", Content: PinsPanel },
};

/** Draws the open panel: a column on wide screens, else a dialog over the page. @param {{room: Room}} props */
export function Panel({ room }) {
  const { label: usual, Content } = PANELS[openedPanel.value || "people"];
  const label = Content === PeoplePanel && account.value && room.charter.view.value ? "Members" : usual;
  const isOpen = openedPanel.value !== "";
  const content = isOpen && html`<${CloseButton} /><${Content} room=${room} />`;
  if (isWide.value) {
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => isLeaving(event) && closePanel();
    return isOpen && html`<section class="panel" aria-label=${label} onKeyDown=${onKeyDown}>${content}</section>`;
  }
  const onClick = (/** @type {MouseEvent} */ event) => uncovers(event) && closePanel();
  return html`
    <dialog
      class="panel"
      aria-label=${label}
      ref=${panelDialog}
      onClick=${onClick}
      onClose=${() => isWide.peek() || (openedPanel.value = "")}
    >
      ${content}
      <${Toast} />
    </dialog>
  `;
}

/** Whether Escape leaves a panel that was opened to look something up. The people stay. @param {KeyboardEvent} event */
function isLeaving(event) {
  return event.key === "Escape" && !isComposing(event) && !event.defaultPrevented && openedPanel.peek() !== "people";
}

/** Whether a click is beside the dialog, or on a link to a message that it covers. @param {MouseEvent} event */
function uncovers({ target, currentTarget }) {
  const link = /** @type {Element} */ (target).closest("a");
  return target === currentTarget || (link !== null && isOwnLink(link.href));
}

function CloseButton() {
  return html`
    <button class="quiet-button close-panel" type="button" aria-label="Close panel" onClick=${closePanel}>
      <${Close} />
    </button>
  `;
}
