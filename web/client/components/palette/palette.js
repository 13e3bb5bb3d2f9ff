import { computed, signal, useSignalEffect } from "@preact/signals";
import { createRef } from "preact";
import { isComposing } from "../../browser/keys.js";
import { showDialog } from "../../browser/overlays.js";
import { isTouch } from "../../browser/viewport.js";
import { html } from "../../html.js";
import { labelOf } from "../../authors.js";
import { account, isMine } from "../../me.js";
import { knownPeople } from "../../memberships/memberships.js";
import { titleOf } from "../../memberships/titles.js";
import { allRooms, refreshRooms, summaryOf } from "../../rooms/list.js";
import { partnerIn } from "../../rooms/mine.js";
import { countUnread } from "../../rooms/seen.js";
import { Avatar } from "../avatar.js";
import { forMembers } from "../for-members.js";
import { goTo } from "../go-to.js";
import { Plus, Search } from "../icons.js";
import { loadPart } from "../load-part.js";
import { openPanel } from "../panel.js";
import { RoomIcon } from "../room-icon.js";
import { findEntries } from "./entries.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("./entries.js").Entry} Entry */

const query = signal("");
/** Who is in the room on the screen. */
const present = signal(/** @type {import("../../authors.js").By[]} */ ([]));
const entries = computed(() => findEntries(query.value, namedRooms(), people(), account.value !== null));
/** The index of the entry that Enter takes; -1 for none. */
const active = signal(0);

/** @type {{current: HTMLDialogElement | null}} */
const dialog = createRef();
/** @type {{current: HTMLInputElement | null}} */
const field = createRef();

/** Opens the dialog that finds rooms and people, or closes it. */
export function togglePalette() {
  if (dialog.current?.open) return dialog.current.close();
  search("");
  refreshRooms(); // a room may be younger than the list
  showDialog(dialog.current);
  if (field.current) field.current.value = "";
  field.current?.focus();
}

/** Draws the visible way to the dialog. */
export function PaletteButton() {
  return html`
    <button class="palette-button" type="button" aria-keyshortcuts="Control+K Meta+K" onClick=${togglePalette}>
      <${Search} /><span>Find or create a room</span><kbd aria-hidden="true">Ctrl K</kbd>
    </button>
  `;
}

/**
 * Draws the dialog: a field, and below it what its text finds.
 *
 * @param {{current: import("@preact/signals").ReadonlySignal<Room>}} props
 */
export function Palette({ current }) {
  useSignalEffect(() => {
    present.value = current.value.people.listed.value;
  });
  const found = entries.value;
  return html`
    <dialog class="palette" aria-label="Find or create a room" ref=${dialog} onClick=${closeBeside}>
      <input
        ref=${field}
        type="text"
        role="combobox"
        aria-label="Room or person"
        aria-expanded="true"
        aria-controls="found"
        aria-autocomplete="list"
        aria-activedescendant=${found[active.value] && `found-${active.value}`}
        placeholder="Room or person"
        autocomplete="off"
        autocapitalize="none"
        spellcheck=${false}
        enterkeyhint="go"
        onInput=${(/** @type {any} */ event) => search(event.target.value)}
        onKeyDown=${onKeyDown}
      />
      <ul id="found" role="listbox" aria-label="Found">
        ${found.map((entry, index) => html`<${Row} key=${keyOf(entry)} entry=${entry} index=${index} />`)}
      </ul>
      <p class="hint" role="status">${hint(found)}</p>
    </dialog>
  `;
}

/** @param {{entry: Entry, index: number}} props */
function Row({ entry, index }) {
  const isActive = index === active.value;
  return html`
    <li
      id=${`found-${index}`}
      class=${isActive ? "found active" : "found"}
      role="option"
      aria-selected=${isActive}
      ref=${(/** @type {Element | null} */ row) => isActive && row?.scrollIntoView({ block: "nearest" })}
      onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()}
      onClick=${() => take(entry)}
    >
      <${Label} entry=${entry} />
    </li>
  `;
}

/** @param {{entry: Entry}} props */
function Label({ entry }) {
  const { kind, name } = entry;
  if (kind === "person") return html`<${PersonLabel} person=${entry.person} />`;
  if (kind === "handle") return html`<${Plus} /><span class="name">Message @${name}</span>`;
  if (kind === "create") return html`<${Plus} /><span class="name">Create #${name}</span>`;
  const unread = countUnread(summaryOf(name));
  return html`
    <${RoomIcon} slug=${name} /><bdi class="name">${titleOf(name)}</bdi>
    ${unread > 0 && html`<span class="unread">${unread}<span class="sr-only"> new</span></span>`}
  `;
}

/** @param {{person: import("../../authors.js").By}} props */
function PersonLabel({ person }) {
  const { name, author } = person;
  return html`
    <${Avatar} name=${name} /><bdi class="name">${name}</bdi>
    ${author && html`<span class="handle">${labelOf(person)}</span>`}
  `;
}

/** Returns all rooms that are known; one's own are called by their titles. */
function namedRooms() {
  return allRooms().map(({ name }) => (titleOf(name) === name ? { name } : { name, title: titleOf(name) }));
}

/** Returns the people who are present or in one's rooms, except those who have a direct room in the list already. */
function people() {
  const known = knownPeople().map(({ id, handle, name }) => ({ name, author: { id, handle } }));
  const byLabel = new Map([...known, ...present.value].map((person) => [labelOf(person), person]));
  const partners = new Set(allRooms().map(({ name }) => partnerIn(name)?.id));
  return [...byLabel.values()].filter((person) => {
    if (!account.value) return true;
    return !isMine(person) && !(person.author && partners.has(person.author.id));
  });
}

/** @param {Entry} entry */
function keyOf(entry) {
  return entry.kind + (entry.kind === "person" ? labelOf(entry.person) : entry.name);
}

/** @param {Entry[]} found */
function hint(found) {
  if (!found.length) return query.value.trim() ? "Nothing found. A new room is named with letters a–z or digits." : "";
  if (active.value < 0)
    return `No room has this name. ${isTouch.value ? "Tap Create" : "Press the down arrow and Enter"} to create it.`;
  return "";
}

/** Looks for a text. Enter takes the first entry, yet never creates a room that was not chosen. @param {string} text */
function search(text) {
  query.value = text;
  active.value = entries.value[0]?.kind === "create" ? -1 : 0;
}

/** @param {KeyboardEvent} event */
function onKeyDown(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[/** @type {"ArrowUp"} */ (event.key)];
  if (step) {
    event.preventDefault();
    const { length } = entries.peek();
    active.value = active.peek() < 0 ? (step > 0 ? 0 : length - 1) : (active.peek() + step + length) % length;
  }
  const entry = entries.peek()[active.peek()];
  if (event.key === "Enter" && entry && !isComposing(event)) {
    event.preventDefault();
    take(entry);
  }
}

/** @param {Entry} entry */
function take(entry) {
  dialog.current?.close();
  const { kind, name } = entry;
  const handle = kind === "person" ? entry.person.author?.handle : name;
  if ((kind === "person" && handle && account.peek()) || kind === "handle")
    loadPart(forMembers, ({ openDirect }) => openDirect(handle ?? ""));
  else if (kind === "person") openPanel("people");
  else goTo(name);
}

/** @param {MouseEvent} event */
function closeBeside(event) {
  if (event.target === event.currentTarget) dialog.current?.close();
}
