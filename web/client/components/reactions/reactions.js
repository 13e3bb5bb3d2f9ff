import { useSignal } from "@preact/signals";
import { html } from "../../html.js";
import { label } from "../../me.js";
import { whyNotWrite } from "../composer/cannot-write.js";
import { React } from "../icons.js";
import { emojiOf } from "./emoji.js";
import { sayNames } from "./names.js";
import { pickReaction, toggleReaction } from "./pick.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */

/**
 * Draws the reactions to a message. They are no news: screen readers find them, and do not read them out.
 *
 * @param {{room: Room, message: Row}} props
 */
export function Reactions({ room, message }) {
  const reactions = Object.entries(message.reactions ?? {});
  if (!reactions.length) return null;
  const mayReact = whyNotWrite(room) === "";
  const pick = (/** @type {any} */ { currentTarget }) =>
    pickReaction(room, message, currentTarget, currentTarget.closest(".message"));
  return html`
    <div class="reactions" role="group" aria-label="Reactions" aria-live="off">
      ${reactions.map(
        ([key, reaction]) =>
          html`<${Reaction} key=${key} emoji=${key} ...${{ room, message, mayReact }} ...${reaction} />`,
      )}
      ${
        mayReact &&
        html`
          <button
            class="reaction add"
            type="button"
            tabindex="-1"
            aria-label="Add a reaction"
            title="Add a reaction"
            onClick=${pick}
          >
            <${React} />
          </button>
        `
      }
    </div>
  `;
}

/** @param {{room: Room, message: Row, mayReact: boolean, emoji: string, count: number, names: string[]}} props */
function Reaction({ room, message, mayReact, emoji, count, names }) {
  const isMine = message.mine?.includes(emoji) ?? false;
  const [all, readAll] = useAllNames(room, message, emoji, { count, names });
  const who = sayNames({ count, names: all }, label.value, isMine);
  const toggle = (/** @type {any} */ { currentTarget }) => {
    if (!mayReact) return;
    if (isMine && count === 1) currentTarget.closest(".message").focus(); // the pressed chip goes away
    toggleReaction(room, message, emoji);
  };
  const isPending = message.operations?.some(({ key, status }) => key === emoji && status !== "failed");
  return html`
    <button
      class=${isPending ? "reaction unsaved" : "reaction"}
      type="button"
      tabindex="-1"
      aria-pressed=${isMine}
      aria-disabled=${!mayReact}
      aria-label=${`${emojiOf(emoji)} ${count}: ${who}`}
      data-tip=${who}
      onPointerEnter=${readAll}
      onFocus=${readAll}
      onClick=${toggle}
    >
      <span class="emoji">${emojiOf(emoji)}</span><span class="count">${count.toLocaleString()}</span>
    </button>
  `;
}

/**
 * Returns the names of those who reacted, and what reads all of them where some are missing. They are read once for
 * each change of the reactions.
 *
 * @param {Room} room
 * @param {Row} message
 * @param {string} emoji
 * @param {import("../../messages.js").Reaction} reaction
 * @returns {[names: string[], readAll: () => Promise<void>]}
 */
function useAllNames(room, message, emoji, { count, names }) {
  const read = useSignal({ instead: /** @type {string[]} */ ([]), names });
  const readAll = async () => {
    if (count <= names.length || read.peek().instead === names) return;
    read.value = { instead: names, names };
    try {
      const all = await room.readReactors(message, emoji);
      if (read.peek().instead === names) read.value = { instead: names, names: all.names };
    } catch {
      if (read.peek().instead === names) read.value = { instead: [], names }; // the next look asks again
    }
  };
  return [read.value.instead === names ? read.value.names : names, readAll];
}
