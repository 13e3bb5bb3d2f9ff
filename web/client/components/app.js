import { html } from "../html.js";
import { Composer } from "./composer/composer.js";
import { Log } from "./log.js";
import { NameDialog, Welcome } from "./name-dialog.js";
import { Notices } from "./notices.js";
import { People } from "./people.js";
import { isDrawerOpen, MenuButton, Sidebar } from "./sidebar.js";
import { Banner, statusOf, Status } from "./status.js";
import { TypingLine } from "./typing-line.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../connection.js").Connection} Connection */
/** @typedef {import("../visited-rooms.js").Unsent} Unsent */
/** @template T @typedef {import("@preact/signals").ReadonlySignal<T>} ReadonlySignal */

/**
 * Draws the page: the rooms, one conversation, and the dialog that asks for a name.
 *
 * @param {{connection: Connection, current: ReadonlySignal<Room>, unsent: ReadonlySignal<Map<string, Unsent>>}} props
 */
export function App({ connection, current, unsent }) {
  const room = current.value;
  return html`
    <div class="app" data-state=${statusOf(connection, room).key}>
      <a class="skip" href="#composer">Skip to writing</a>
      <${Sidebar} room=${room} unsent=${unsent} />
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
          <${Welcome} room=${room} />
          <${TypingLine} room=${room} />
          <div class="writing">
            <${MenuButton} room=${room} />
            <${Composer} current=${current} />
          </div>
        </footer>
      </main>
      <${NameDialog} />
    </div>
  `;
}
