import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../../html.js";
import { membershipOf } from "../../memberships/memberships.js";
import { Close, Send as Up } from "../icons.js";

/** @typedef {import("../../room/room.js").Room} Room */

/** How far below the upper edge the first new message is put: there is a line above it. */
const TOP_PX = 96;

/**
 * Draws the button that leads to the first new message, while that is above the screen and was not seen yet.
 *
 * @param {{room: Room, scroller: {current: HTMLElement | null}}} props
 */
export function FirstUnread({ room, scroller }) {
  const { value: first } = room.firstNewSeq;
  const isAbove = useSignal(false);
  /** The line that was in sight, or that the person does not want to see. */
  const passed = useSignal(0);
  /** All has come that was there: until then the line may be in sight for a moment only. */
  const isComplete = useRef(false);
  isComplete.current ||= room.recovery.hasCaughtUp.value;
  const { value: shown } = room.detached.shown;
  shown.messages.value; // the line may have come with them
  useEffect(() => {
    const look = () => {
      const place = placeOf(scroller.current, room, first);
      isAbove.value = place === "above";
      if (place === "in sight" && isComplete.current) passed.value = first;
    };
    look();
    const { current } = scroller;
    current?.addEventListener("scroll", look, { passive: true });
    return () => current?.removeEventListener("scroll", look);
  });
  if (!first || !membershipOf(room.slug) || !isAbove.value || passed.value === first) return null;
  const act = () => {
    passed.value = first;
    room.readFrom(first, TOP_PX);
    scroller.current?.focus({ preventScroll: true }); // the pressed button goes away
  };
  return html`
    <p class="first-unread">
      <button type="button" onClick=${act}><${Up} /><span>First new message</span></button>
      <button class="quiet-button" type="button" aria-label="Stay here" onClick=${() => (passed.value = first)}>
        <${Close} />
      </button>
    </p>
  `;
}

/**
 * Returns where the first new message is.
 *
 * @param {HTMLElement | null} scroller
 * @param {Room} room
 * @param {number} first its seq
 */
function placeOf(scroller, room, first) {
  const run = room.detached.shown.peek();
  if (!scroller || !first || run.isEmpty) return "nowhere";
  const line = scroller.querySelector(".new");
  if (!line) return first < run.first ? "above" : "nowhere";
  return line.getBoundingClientRect().bottom < scroller.getBoundingClientRect().top ? "above" : "in sight";
}
