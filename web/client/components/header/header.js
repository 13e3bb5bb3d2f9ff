import { pathOf } from "../../browser/route.js";
import { html } from "../../html.js";
import { isRemoved } from "../../memberships/removed.js";
import { kindOf, titleOf } from "../../memberships/titles.js";
import { summaryOf } from "../../rooms/list.js";
import { Link } from "../icons.js";
import { PeopleButton } from "../people/people-button.js";
import { PinsButton } from "../pins/pins-button.js";
import { RoomIcon } from "../room-icon.js";
import { MenuButton } from "../sidebar/menu-button.js";
import { copyAndTell } from "../toast.js";
import { Status } from "./status.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../connection.js").Connection} Connection */

/** Draws the line above the conversation. @param {{connection: Connection, room: Room}} props */
export function Header({ connection, room }) {
  const view = room.charter.view.value;
  const topic = view?.topic ?? summaryOf(room.slug).topic;
  const kind = kindOf(room.slug);
  return html`
    <header class="bar">
      <${MenuButton} here=${room.slug} />
      <div class="title">
        <h1>
          <${RoomIcon} slug=${room.slug} /><bdi>${titleOf(room.slug)}</bdi>${
            kind === "private" && html`<span class="sr-only"> (private room)</span>`
          }
          ${view?.archived && html`<span class="archived-mark">archived</span>`}
        </h1>
        ${topic && html`<p class="topic" dir="auto" title=${topic}>${topic}</p>`}
      </div>
      <${Status} connection=${connection} room=${room} />
      ${!isRemoved(room.slug) && html`<${Buttons} room=${room} />`}
    </header>
  `;
}

/** Draws what leads to more of a room that one is in. @param {{room: Room}} props */
function Buttons({ room }) {
  return html`
    <${CopyLink} slug=${room.slug} />
    <${PinsButton} key=${`pins ${room.slug}`} room=${room} />
    <${PeopleButton} room=${room} />
  `;
}

/** @param {{slug: string}} props */
function CopyLink({ slug }) {
  const label = "Copy link to this room";
  const copy = () => copyAndTell(location.origin + pathOf(slug), "Link copied");
  return html`
    <button class="quiet-button" type="button" aria-label=${label} title=${label} onClick=${copy}><${Link} /></button>
  `;
}
