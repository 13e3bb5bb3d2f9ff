import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../../html.js";
import { SLUG } from "../../messages.js";
import { name } from "../../me.js";
import { hasNews, listRooms, rooms } from "../../rooms/list.js";
import { pathOf, visit } from "../../browser/route.js";
import { slugify } from "../../text.js";
import { Avatar } from "../avatar.js";
import { Close, Edit, Logo, Menu, Plus } from "../icons.js";
import { isAskingForName } from "../name-dialog.js";
import { HereNow } from "../people/people.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").RoomSummary} RoomSummary */

/** The drawer with the rooms is open. Only narrow screens have it. */
export const isDrawerOpen = signal(false);

/** @param {string} slug */
function goTo(slug) {
  isDrawerOpen.value = false;
  visit(slug);
}

/** @param {{room: Room}} props */
export function Sidebar({ room }) {
  const nav = useRef(/** @type {HTMLElement | null} */ (null));
  const open = isDrawerOpen.value;
  useEffect(() => {
    if (!open) return undefined;
    nav.current?.querySelector("button")?.focus();
    return () => /** @type {HTMLElement | null} */ (document.querySelector(".menu-button"))?.focus();
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
      <${OtherRoom} />
      <ul class="rooms">
        ${listRooms(room.slug, room.people.total.value).map(
          (summary) => html`<${Row} key=${summary.name} summary=${summary} current=${summary.name === room.slug} />`,
        )}
      </ul>
      <${HereNow} room=${room} />
      <${Me} />
    </nav>
    <div class="scrim" onClick=${closeDrawer}></div>
  `;
}

/** Draws the button that opens the drawer, beside the composer, where the thumb is. @param {{room: Room}} props */
export function MenuButton({ room }) {
  const news = rooms.value.some((summary) => summary.name !== room.slug && hasNews(summary));
  return html`
    <button
      class=${news ? "quiet-button menu-button news" : "quiet-button menu-button"}
      type="button"
      aria-label=${news ? "Rooms, new messages" : "Rooms"}
      aria-controls="rooms"
      aria-expanded=${isDrawerOpen.value}
      onClick=${() => (isDrawerOpen.value = true)}
    >
      <${Menu} />
    </button>
  `;
}

function closeDrawer() {
  isDrawerOpen.value = false;
}

/** @param {{summary: RoomSummary, current: boolean}} props */
function Row({ summary, current }) {
  const { name, people } = summary;
  const news = !current && hasNews(summary);
  const follow = (/** @type {MouseEvent} */ event) => {
    // The browser opens a new tab for these clicks.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    goTo(name);
  };
  return html`
    <li>
      <a
        href=${pathOf(name)}
        class=${news ? "room news" : "room"}
        aria-current=${current ? "page" : undefined}
        onClick=${follow}
      >
        <span class="hash" aria-hidden="true">#</span><span class="name">${name}</span>
        ${news && html`<span class="dot"><span class="sr-only">new messages</span></span>`}
        ${people > 0 && html`<${Count} people=${people} />`}
      </a>
    </li>
  `;
}

/** @param {{people: number}} props */
function Count({ people }) {
  const number = people.toLocaleString();
  return html`<span class="count" title=${`${number} here`}>${number}<span class="sr-only"> here</span></span>`;
}

function OtherRoom() {
  const typed = useSignal("");
  const slug = slugify(typed.value);
  const open = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!SLUG.test(slug)) return;
    typed.value = "";
    goTo(slug);
  };
  const onInput = (/** @type {any} */ event) => (typed.value = event.target.value);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) =>
    event.key === "Escape" && /** @type {HTMLElement} */ (event.target).blur();
  return html`
    <form class="other-room" onSubmit=${open}>
      <label class="sr-only" for="other-room">Open or create a room</label>
      <input
        id="other-room"
        type="text"
        placeholder="Open or create a room"
        autocomplete="off"
        autocapitalize="none"
        spellcheck=${false}
        enterkeyhint="go"
        value=${typed.value}
        aria-describedby="other-slug"
        onInput=${onInput}
        onKeyDown=${onKeyDown}
      />
      <button class="quiet-button" type="submit" aria-label="Open room"><${Plus} /></button>
      <p id="other-slug" class="hint" role="status">${hint(typed.value, slug)}</p>
    </form>
  `;
}

/** @param {string} typed @param {string} slug */
function hint(typed, slug) {
  if (!typed.trim()) return "";
  return slug ? `Opens #${slug}` : "Use letters a–z or digits";
}

function Me() {
  const changeName = () => (isAskingForName.value = true);
  return html`
    <div class="me">
      <${Avatar} name=${name.value || "?"} />
      <bdi class="name">${name.value}</bdi>
      <button class="quiet-button" type="button" aria-label="Change name" title="Change name" onClick=${changeName}>
        <${Edit} />
      </button>
    </div>
  `;
}
