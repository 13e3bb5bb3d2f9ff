import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { problemOf } from "../../account/refusals.js";
import { html } from "../../html.js";
import { account } from "../../me.js";
import { GOVERNING } from "../../messages.js";
import { Avatar } from "../avatar.js";
import { useFocusHandover } from "../focus-handover.js";
import { More } from "../icons.js";
import { useRovingFocus, useStillOrder } from "../list-hooks.js";
import { showToast } from "../toast.js";
import { MemberMenu, openMemberMenu } from "./member-menu.js";
import { offersFor } from "./member-rights.js";
import { findMembers, orderMembers, sectionsOf } from "./members.js";
import { RoomActions } from "./room-actions.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("./members.js").Shown} Shown */

/** Most people that are drawn; the others are found by a search. */
const MOST = 200;
/** From so many on there is a search. */
const SEARCHED_FROM = 20;

/** Draws who is in a room that is somebody's: what they are there, who is present, and what can be done. @param {{room: Room}} props */
export function MembersPanel({ room }) {
  const { charter } = room;
  const problem = useSignal("");
  const query = useSignal("");
  useEffect(() => {
    if (charter.members.peek()) return;
    charter.readMembers().catch((refusal) => (problem.value = problemOf(refusal).words));
  }, [room]);
  const members = charter.members.value;
  const all = orderMembers(members, room.people.listed.value);
  const found = findMembers(all, query.value);
  const { ordered, handlers } = useStillOrder(found, ({ key }) => key, room);
  const listed = ordered.slice(0, MOST);
  const { tabIndexOf, ...keys } = useRovingFocus(listed.map(({ key }) => key));
  const others = found.length - listed.length;
  return html`
    <h2>Members <span class="count">${(charter.view.value?.members ?? 0).toLocaleString()}</span></h2>
    <${RoomActions} room=${room} />
    ${
      all.length > SEARCHED_FROM &&
      html`
        <input
          class="member-search"
          role="searchbox"
          enterkeyhint="search"
          aria-label="Find a member"
          placeholder="Find a member"
          autocomplete="off"
          onInput=${(/** @type {any} */ { target }) => (query.value = target.value)}
        />
      `
    }
    <div class="people" ...${handlers}>
      ${!members && html`<p class="hint">${problem.value || "Loading…"}</p>`}
      ${sectionsOf(listed).map(
        ({ title, people }) => html`
          <h3 key=${title}>${title}</h3>
          <ul aria-label=${title} ...${keys}>
            ${people.map((each) => html`<${Row} key=${each.key} room=${room} shown=${each} tabIndex=${tabIndexOf(each.key)} />`)}
          </ul>
        `,
      )}
      ${others > 0 && html`<p class="more-people">and ${others.toLocaleString()} more: find them by name</p>`}
      <${Banned} room=${room} />
    </div>
    <${MemberMenu} room=${room} />
  `;
}

/** @param {{room: Room, shown: Shown, tabIndex: number}} props */
function Row({ room, shown, tabIndex }) {
  const { key, person, isPresent } = shown;
  const row = useFocusHandover(); // they may be removed
  const { handle, name, muted_until } = person;
  const isMe = person.id === account.value?.id;
  const offers = offersOf(room, shown, isMe);
  const hasMenu = person.id > 0 && handle !== "" && (!isMe || offers.length > 0);
  const open = (/** @type {any} */ { currentTarget }) => openMemberMenu({ person, offers, isMe }, currentTarget);
  return html`
    <li ref=${row} data-stop=${key} tabindex=${tabIndex} class=${isPresent ? "present" : "absent"} title=${handle && `@${handle}`}>
      <${Avatar} name=${name || "?"} isGuest=${person.id === 0} /><bdi class="name">${name || "Deleted account"}</bdi>
      ${isPresent && html`<span class="sr-only">here now</span>`}
      ${person.id === 0 && html`<span class="handle">guest</span>`} ${isMe && html`<span class="you">you</span>`}
      ${Date.parse(muted_until ?? "") > Date.now() && html`<span class="handle">muted</span>`}
      ${
        hasMenu &&
        html`
          <button
            class="quiet-button"
            type="button"
            tabindex=${tabIndex}
            aria-haspopup="menu"
            aria-label=${`Options for ${name}`}
            onClick=${open}
          >
            <${More} />
          </button>
        `
      }
    </li>
  `;
}

/** @param {Room} room @param {Shown} shown @param {boolean} isMe */
function offersOf({ charter }, { person }, isMe) {
  if (!person.id) return [];
  const owners = [...(charter.members.value?.values() ?? [])].filter(({ role }) => role === "owner");
  const isLastOwner = owners.length === 1 && owners[0]?.id === person.id;
  return offersFor(person, { may: (power) => charter.may(power), rank: charter.rank, isMe, isLastOwner });
}

/** Draws who may not come in, for who may lift that. @param {{room: Room}} props */
function Banned({ room }) {
  const banned = room.charter.banned.value;
  if (!banned.length || !room.charter.may("ban")) return null;
  return html`
    <h3>Banned</h3>
    <ul aria-label="Banned">
      ${banned.map((person) => html`<${BannedRow} key=${person.id} room=${room} person=${person} />`)}
    </ul>
  `;
}

/** @param {{room: Room, person: import("../../messages.js").Companion}} props */
function BannedRow({ room, person: { handle, name } }) {
  const row = useFocusHandover();
  const lift = () => room.ask(GOVERNING.unban, { handle }).catch((refusal) => showToast(problemOf(refusal).words));
  return html`
    <li ref=${row} class="absent">
      <${Avatar} name=${name} /><bdi class="name">${name}</bdi>
      <button class="link" type="button" aria-label=${`Lift the ban of ${name}`} onClick=${lift}>Lift</button>
    </li>
  `;
}
