import { signal } from "@preact/signals";
import { SLUG } from "../messages.js";

export const LOBBY = "lobby";

/** The slug of the room the address bar names. */
export const slug = signal(LOBBY);

/** @param {string} room */
export function path(room) {
  return room === LOBBY ? "/" : `/rooms/${room}`;
}

/** @param {string} pathname */
export function slugOf(pathname) {
  const room = /^\/rooms\/([^/]+)\/?$/.exec(pathname)?.[1] ?? LOBBY;
  return SLUG.test(room) ? room : LOBBY;
}

/** @param {string} room */
export function visit(room) {
  if (room === slug.peek()) return;
  history.pushState(null, "", path(room));
  slug.value = room;
}

export function followAddress() {
  const read = () => (slug.value = slugOf(location.pathname));
  addEventListener("popstate", read);
  read();
}
