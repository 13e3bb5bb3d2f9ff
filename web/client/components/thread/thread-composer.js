import { threadDrafts, threadKey } from "../../drafts.js";
import { html } from "../../html.js";
import { name } from "../../me.js";
import { LIMITS } from "../../messages.js";
import { clean, countCharacters } from "../../text/cleaning.js";
import { CannotWrite, useCannotWrite } from "../composer/cannot-write.js";
import { useDraft } from "../composer/draft-field.js";
import { focusField, sendsOnEnter } from "../composer/focus.js";
import { isSendable, isSending, keepFocus, remaining } from "../composer/sending.js";
import { Send } from "../icons.js";

/**
 * Draws where one replies in a thread. It has a draft of its own.
 *
 * @param {{room: import("../../room/room.js").Room, root: number}} props
 */
export function ThreadComposer({ room, root }) {
  const key = threadKey(room.slug, root);
  const { area, used, onInput } = useDraft(
    () => threadDrafts.of(key),
    (text) => threadDrafts.keep(key, text),
  );
  const { why, wait } = useCannotWrite(room);
  const isWaiting = wait > 0 || why !== "";
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!area.current || !isSendable(used.value) || isWaiting) return;
    if (!name.peek()) return focusField();
    room.posts.write(clean(area.current.value), root); // the conversation stays where it is
    threadDrafts.replace(key, "");
    area.current.focus();
  };
  return html`
    ${why && html`<${CannotWrite} why=${why} words=${used.value ? area.current?.value : ""} />`}
    <form class="composer" onSubmit=${send} hidden=${why !== ""}>
      <label class="sr-only" for="thread-composer">Reply in the thread</label>
      <textarea
        id="thread-composer"
        ref=${area}
        rows="1"
        placeholder="Reply"
        enterkeyhint=${sendsOnEnter() ? "send" : "enter"}
        dir="auto"
        autocomplete="off"
        aria-describedby="thread-left"
        onInput=${onInput}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => isSending(event) && send(event)}
      ></textarea>
      <span id="thread-left" class=${used.value > LIMITS.message ? "left over" : "left"} role="status">
        ${remaining(used.value)}
      </span>
      <button
        class="send"
        type="submit"
        aria-label="Reply"
        aria-disabled=${isWaiting || !isSendable(used.value)}
        onPointerDown=${keepFocus}
      >
        <${Send} />
      </button>
    </form>
  `;
}
