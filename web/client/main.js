import { computed, effect, untracked } from "@preact/signals";
import { options, render } from "preact";
import { followAddress, slug } from "./browser/route.js";
import { shrinkForKeyboard } from "./browser/viewport.js";
import { App } from "./components/app.js";
import { listenForKeys } from "./components/palette/shortcuts.js";
import { watchPanel } from "./components/panel.js";
import { watchDrawer } from "./components/sidebar/drawer.js";
import { Connection, keepConnected } from "./connection.js";
import { html } from "./html.js";
import { name } from "./me.js";
import { checkWhilePolling } from "./polling.js";
import { Room } from "./room/room.js";
import { addOpened, refreshRooms, watchRooms } from "./rooms/list.js";
import { watchDay } from "./time.js";
import { watchUnread } from "./rooms/unread.js";

const connection = new Connection("/socket");

/**
 * The rooms visited in this tab, by slug. They keep their messages, so that coming back shows them at once.
 *
 * @type {Map<string, Room>}
 */
const visited = new Map();

/** @param {string} room */
function roomOf(room) {
  const known = visited.get(room) ?? new Room(connection.socket, room, () => name.peek());
  visited.set(room, known);
  return known;
}

const current = computed(() => roomOf(slug.value));

/**
 * Joins the room on the screen and leaves the one before, once the person has a name. A new name joins again.
 */
function stayInCurrent() {
  effect(() => {
    const room = current.value;
    if (!name.value) return undefined;
    untracked(() => {
      addOpened(room.slug);
      room.join();
    });
    return () => room.leave();
  });
  effect(() => {
    if (current.value.state.value === "joined") refreshRooms();
  });
}

// Draws once a frame, however many messages come in. A hidden page gets no frames, so a timer draws it.
options.debounceRendering = (/** @type {() => void} */ draw) => {
  if (document.visibilityState === "hidden") setTimeout(draw, 50);
  else requestAnimationFrame(draw);
};

followAddress();
stayInCurrent();
connection.connect();
keepConnected(connection);
checkWhilePolling(connection, current);
watchRooms();
watchDay();
watchUnread(current);
shrinkForKeyboard();
watchDrawer();
watchPanel();
listenForKeys();
render(
  html`<${App} connection=${connection} current=${current} />`,
  /** @type {HTMLElement} */ (document.getElementById("app")),
);
