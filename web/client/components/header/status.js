import { useSignal, useSignalEffect } from "@preact/signals";
import { isSessionOver } from "../../account/session.js";
import { isRequired } from "../../account/server.js";
import { html } from "../../html.js";
import { account } from "../../me.js";
import { isRemoved } from "../../memberships/removed.js";
import { openSignIn } from "../account/open.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../connection.js").Connection} Connection */

/**
 * Returns the state of connection and room as a key and as words for the person.
 *
 * @param {Connection} connection
 * @param {Room} room
 */
export function statusOf(connection, room) {
  if (isSessionOver.value) return { key: "signed-out", label: "Not signed in" };
  const state = connection.state.value;
  if (state === "offline") return { key: "offline", label: "Offline" };
  if (state === "waiting") return { key: "reconnecting", label: "Reconnecting" };
  if (state === "connecting") return { key: "connecting", label: "Connecting" };
  if (isRemoved(room.slug)) return { key: "removed", label: "Not in this room" };
  if (room.state.value === "refused") return { key: "refused", label: "Not let in" };
  return room.state.value === "joined"
    ? { key: "connected", label: "Connected" }
    : { key: "joining", label: "Joining" };
}

/**
 * Says the state to screen readers. The words change only with the state, so that they are not spoken each second.
 *
 * @param {{connection: Connection, room: Room}} props
 */
export function Status({ connection, room }) {
  const { label } = statusOf(connection, room);
  return html`
    <p class="status sr-only" role="status">${label}</p>
  `;
}

/**
 * Draws what is wrong, while something is. A button is there only while the page waits: a browser without network
 * connects by itself when that is back.
 *
 * @param {{connection: Connection, room: Room}} props
 */
export function Banner({ connection, room }) {
  const { key } = statusOf(connection, room);
  const seconds = useCountdown(connection);
  const retry = html`<button type="button" onClick=${() => connection.reconnect()}>Try now</button>`;
  const wait = seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting…";
  switch (key) {
    case "offline":
      return html`
        <div class="banner offline">
          <span>You are offline. What you write is sent when you are back.</span>
        </div>
      `;
    case "reconnecting":
      return html`<div class="banner"><span aria-hidden="true">${wait}</span>${seconds > 0 && retry}</div>`;
    case "connecting":
      if (!room.hasLoaded.value) return null;
      return html`<div class="banner"><span aria-hidden="true">Connecting…</span></div>`;
    case "signed-out":
      return html`
        <div class="banner offline" role="alert">
          <span>You are not signed in any more. What you have written is kept while this page is open.</span>
          <button type="button" onClick=${() => openSignIn({ handle: account.peek()?.handle })}>Sign in again</button>
        </div>
      `;
    case "refused":
      if (isRequired.value && !account.value) return null; // there is a form that says it
      return html`
        <div class="banner offline" role="alert">
          <span>This room did not let you in: ${room.refusal.value}.</span>
        </div>
      `;
    default:
      return null;
  }
}

/** Counts the whole seconds until the next attempt. @param {Connection} connection */
function useCountdown(connection) {
  const seconds = useSignal(0);
  useSignalEffect(() => {
    if (connection.state.value !== "waiting") return undefined;
    const { value: at } = connection.retryAt;
    const count = () => (seconds.value = Math.max(0, Math.ceil((at - Date.now()) / 1000)));
    const timer = setInterval(count, 250);
    count();
    return () => clearInterval(timer);
  });
  return seconds.value;
}
