import { html } from "../html.js";
import { isCovered } from "../account/session.js";
import { isRemoved } from "../memberships/removed.js";
import { Composer } from "./composer/composer.js";
import { DeleteDialog } from "./conversation/delete-dialog.js";
import { Log } from "./conversation/log.js";
import { Covered } from "./conversation/placeholders.js";
import { TypingLine } from "./conversation/typing-line.js";
import { partForMembers } from "./for-members.js";
import { Header } from "./header/header.js";
import { Notices } from "./header/notices.js";
import { Banner, statusOf } from "./header/status.js";
import { NameDialog, Welcome } from "./name-dialog.js";
import { Keys } from "./palette/keys.js";
import { Palette } from "./palette/palette.js";
import { openedPanel } from "./panel.js";
import { Panel } from "./panel-view.js";
import { Sidebar } from "./sidebar/sidebar.js";
import { Toast } from "./toast.js";
import { Tooltip } from "./tooltip.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../connection.js").Connection} Connection */
/** @typedef {import("../visited-rooms.js").Unsent} Unsent */
/** @template T @typedef {import("@preact/signals").ReadonlySignal<T>} ReadonlySignal */

const RemovedNotices = partForMembers("RemovedNotices");
const RemovedRoom = partForMembers("RemovedRoom");

/**
 * Draws the page: the rooms, one conversation with a panel beside it, and the dialogs.
 *
 * @param {{connection: Connection, current: ReadonlySignal<Room>, unsent: ReadonlySignal<Map<string, Unsent>>}} props
 */
export function App({ connection, current, unsent }) {
  const room = current.value;
  const isGone = isRemoved(room.slug);
  const isHidden = !isGone && isCovered(room.slug);
  return html`
    <div class=${openedPanel.value && !isHidden && !isGone ? "app with-panel" : "app"} data-state=${statusOf(connection, room).key}>
      <a class="skip" href="#composer">Skip to writing</a>
      <${Sidebar} here=${room.slug} unsent=${unsent} />
      <main>
        <${Header} connection=${connection} room=${room} />
        <${Banner} connection=${connection} room=${room} />
        <${Notices} room=${room} />
        <${RemovedNotices} here=${room.slug} />
        ${isGone && html`<${RemovedRoom} slug=${room.slug} />`}
        ${isHidden && html`<div class="conversation"><${Covered} slug=${room.slug} /></div>`}
        ${!isGone && !isHidden && html`<${Log} key=${`log ${room.slug}`} room=${room} connection=${connection} />`}
        <footer hidden=${isGone}>
          <${Welcome} room=${room} />
          <${TypingLine} room=${room} />
          <div class="writing">
            <${Composer} current=${current} />
          </div>
        </footer>
      </main>
      ${!isHidden && !isGone && html`<${Panel} room=${room} />`}
      <${NameDialog} />
      <${Palette} current=${current} />
      <${Keys} />
      <${DeleteDialog} />
      <${Tooltip} />
      <${Toast} />
    </div>
  `;
}
