import { signal } from "@preact/signals";
import { SLUG } from "../messages.js";

export const LOBBY = "lobby";

/** The slug of the room in the address bar. */
export const slug = signal(LOBBY);

/** @param {string} room */
export function pathOf(room) {
  return room === LOBBY ? "/" : `/rooms/${room}`;
}

/** Returns the room of a path; the lobby for a path that names none. @param {string} pathname */
export function slugOf(pathname) {
  const [, folder, room = "", ...rest] = pathname.split("/");
  return folder === "rooms" && SLUG.test(room) && !rest.join("") ? room : LOBBY;
}

/** @param {string} room */
export function visit(room) {
  if (room === slug.peek()) return;
  // Back leads past what was open over the page, like the drawer.
  const change = history.state?.isOverlay ? "replaceState" : "pushState";
  history[change](null, "", pathOf(room));
  slug.value = room;
}

export function followAddress() {
  const read = () => (slug.value = slugOf(location.pathname));
  addEventListener("popstate", read);
  read();
}
