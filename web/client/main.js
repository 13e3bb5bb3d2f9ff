import { computed, effect, untracked } from "@preact/signals";
import { options, render } from "preact";
import { App } from "./components/app.js";
import { html } from "./html.js";
import { name } from "./me.js";
import { Room } from "./room/room.js";
import { addOpened, refreshRooms, watchRooms } from "./rooms.js";
import { followAddress, slug } from "./browser/route.js";
import { Connection, keepConnected } from "./connection.js";
import { watchDay } from "./time.js";
import { countUnread } from "./unread.js";
import { shrinkForKeyboard } from "./browser/viewport.js";

const connection = new Connection("/socket");

/** Rooms visited in this tab keep what they hold, so that coming back shows it at once. @type {Map<string, Room>} */
const visited = new Map();

/** @param {string} room */
function roomOf(room) {
  const known = visited.get(room) ?? new Room(connection.socket, room, () => name.peek());
  visited.set(room, known);
  return known;
}

const current = computed(() => roomOf(slug.value));

/** Be in the room on the screen and in no other, once the person has a name. With another name, leave and come back. */
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

/** However many messages come in, the page is drawn once a frame; a hidden one has no frames. @param {() => void} draw */
options.debounceRendering = (draw) => {
  if (document.visibilityState === "hidden") setTimeout(draw, 50);
  else requestAnimationFrame(draw);
};

followAddress();
stayInCurrent();
connection.connect();
keepConnected(connection);
watchRooms();
watchDay();
countUnread(current);
shrinkForKeyboard();
render(
  html`<${App} connection=${connection} current=${current} />`,
  /** @type {HTMLElement} */ (document.getElementById("app")),
);
