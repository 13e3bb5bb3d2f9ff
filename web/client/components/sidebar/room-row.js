import { computed } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { pathOf } from "../../browser/route.js";
import { drafts } from "../../drafts.js";
import { html } from "../../html.js";
import { badgeOf, levelOf } from "../../memberships/levels.js";
import { membershipOf } from "../../memberships/memberships.js";
import { labelOfRoom, titleOf } from "../../memberships/titles.js";
import { choices } from "../../rooms/choices.js";
import { countUnread } from "../../rooms/seen.js";
import { useFocusHandover } from "../focus-handover.js";
import { goTo } from "../go-to.js";
import { Clock, Edit, More, Muted, Pin } from "../icons.js";
import { RoomIcon } from "../room-icon.js";
import { openRoomMenu } from "./room-menu.js";

/** @typedef {import("../../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("../../visited-rooms.js").Unsent} Unsent */

/** From this number on a row says only that there are more. */
const MOST_COUNTED = 99;

/**
 * Draws a room in the sidebar.
 *
 * @param {{summary: RoomSummary, current: boolean, unsent: Unsent | undefined, tabIndex: number}} props
 */
export function RoomRow({ summary, current, unsent, tabIndex }) {
  const { name } = summary;
  const row = useFocusHandover(); // its room may be closed, hidden or taken away
  useLayoutEffect(() => void (current && row.current && bringIntoSight(row.current)), [current]);
  // Computed, so that the marks of other rooms, which move with each message, do not draw this row.
  const { value: badge } = useMemo(() => computed(() => JSON.stringify(badgeIn(summary))), [summary]);
  const { unread, mentions, isCounted } = current ? NOTHING : JSON.parse(badge);
  const { pinned } = choices.value;
  const follow = (/** @type {MouseEvent} */ event) => {
    // The browser opens a new tab for these clicks.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    goTo(name);
  };
  return html`
    <li ref=${row} class="room-row" onKeyDown=${toTheMenu} onContextMenu=${(/** @type {MouseEvent} */ event) => openAt(event, name)}>
      <a
        href=${pathOf(name)}
        class=${unread ? "room news" : "room"}
        aria-current=${current ? "page" : undefined}
        data-stop=${name}
        tabindex=${tabIndex}
        onClick=${follow}
      >
        <${RoomIcon} slug=${name} /><bdi class="name">${titleOf(name)}</bdi>
        ${pinned.includes(name) && html`<${Mark} icon=${Pin} words="pinned" />`}
        ${isMuted(name) && html`<${Mark} icon=${Muted} words="muted" />`}
        ${!current && drafts.keys.value.has(name) && html`<${Mark} icon=${Edit} words="draft" />`}
        ${unsent && html`<${UnsentMark} ...${unsent} />`}
        ${mentions > 0 && html`<${Mentions} count=${mentions} />`}
        ${unread > 0 && html`<${Unread} count=${unread} isCounted=${isCounted} />`}
      </a>
      <button
        class="more"
        type="button"
        tabindex="-1"
        aria-label=${`Options for ${labelOfRoom(name)}`}
        aria-haspopup="menu"
        onClick=${(/** @type {any} */ event) => openRoomMenu(name, event.currentTarget)}
      >
        <${More} />
      </button>
    </li>
  `;
}

const NOTHING = { unread: 0, mentions: 0, isCounted: true };

/** Scrolls the list, and not the page, on which a closed drawer is beside the screen. @param {HTMLElement} row */
function bringIntoSight(row) {
  const list = /** @type {HTMLElement} */ (row.closest(".sections"));
  const [shown, all] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
  list.scrollTop += Math.min(0, shown.top - all.top) + Math.max(0, shown.bottom - all.bottom);
}

/** Returns what the row of a room shows of new messages. Reads signals. @param {RoomSummary} summary */
function badgeIn(summary) {
  const mine = membershipOf(summary.name);
  return mine ? badgeOf(mine) : { ...NOTHING, unread: countUnread(summary) };
}

/** Whether nothing of a room shall be noticed now. Reads signals. @param {string} slug */
export function isMuted(slug) {
  const mine = membershipOf(slug);
  return mine ? levelOf(mine) === "nothing" : choices.value.muted.includes(slug);
}

/** Draws the number of new messages, or a dot where their number does not matter. @param {{count: number, isCounted: boolean}} props */
export function Unread({ count, isCounted }) {
  const words = ` new ${count === 1 ? "message" : "messages"}`;
  if (!isCounted) return html`<span class="unread dot"><span class="sr-only">new messages</span></span>`;
  return html`<span class="unread">${atMost(count)}<span class="sr-only">${words}</span></span>`;
}

/** @param {{count: number}} props */
export function Mentions({ count }) {
  const words = count === 1 ? " mention" : " mentions";
  return html`<span class="mentions">@${atMost(count)}<span class="sr-only">${words}</span></span>`;
}

/** @param {number} count */
function atMost(count) {
  return count > MOST_COUNTED ? `${MOST_COUNTED}+` : String(count);
}

/** @param {{icon: () => any, words: string}} props */
function Mark({ icon, words }) {
  return html`<span class="mark"><${icon} /><span class="sr-only">${words}</span></span>`;
}

/** Moves the focus from a row to its button, and back. @param {any} event */
function toTheMenu(event) {
  const to = { ArrowRight: ".more", ArrowLeft: ".room" }[/** @type {"ArrowRight"} */ (event.key)];
  if (to) event.currentTarget.querySelector(to).focus();
}

/** Opens the menu in place of the browser's. @param {MouseEvent} event @param {string} name */
function openAt(event, name) {
  event.preventDefault();
  const row = /** @type {HTMLElement} */ (event.currentTarget);
  openRoomMenu(name, /** @type {HTMLElement} */ (row.querySelector(".more")));
}

/** Draws how many posts of a room wait to be sent, or were not. @param {Unsent} props */
export function UnsentMark({ waiting, failed }) {
  const number = (failed || waiting).toLocaleString();
  const words = failed ? `${number} not sent` : `${number} waiting to be sent`;
  return html`
    <span class=${failed ? "unsent-mark failed" : "unsent-mark"} title=${words}>
      <${Clock} /><span aria-hidden="true">${number}</span><span class="sr-only"> ${words}</span>
    </span>
  `;
}
