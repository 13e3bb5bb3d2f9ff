import { html } from "../html.js";
import { Composer } from "./composer.js";
import { Log } from "./conversation/log.js";
import { NameDialog } from "./name-dialog.js";
import { Notices } from "./header/notices.js";
import { People } from "./people/people.js";
import { isDrawerOpen, MenuButton, Sidebar } from "./sidebar/sidebar.js";
import { Banner, statusOf, Status } from "./header/status.js";
import { TypingLine } from "./conversation/typing-line.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../connection.js").Connection} Connection */

/**
 * Draws the page: the rooms, one conversation, and the dialog that asks for a name.
 *
 * @param {{connection: Connection, current: {readonly value: Room}}} props
 */
export function App({ connection, current }) {
  const room = current.value;
  return html`
    <div class="app" data-state=${statusOf(connection, room).key}>
      <a class="skip" href="#composer">Skip to writing</a>
      <${Sidebar} room=${room} />
      <main inert=${isDrawerOpen.value}>
        <header class="bar">
          <h1><span aria-hidden="true">#</span>${room.slug}</h1>
          <${Status} connection=${connection} room=${room} />
          <${People} room=${room} />
        </header>
        <${Banner} connection=${connection} room=${room} />
        <${Notices} room=${room} />
        <${Log} key=${`log ${room.slug}`} room=${room} />
        <footer>
          <${TypingLine} room=${room} />
          <div class="writing">
            <${MenuButton} room=${room} />
            <${Composer} key=${`composer ${room.slug}`} room=${room} />
          </div>
        </footer>
      </main>
      <${NameDialog} />
    </div>
  `;
}
