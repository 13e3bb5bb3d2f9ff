import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { actionsFor } from "./actions.js";

/** @typedef {import("./actions.js").Action} Action */
/** @typedef {import("../../messages.js").Posted} Posted */
/** @typedef {import("../../room/posts.js").PendingPost} PendingPost */

/**
 * Draws what can be done with a message, at the bottom of a phone's screen, where the thumb is.
 *
 * @param {{dialog: {current: HTMLDialogElement | null}, message: Posted | PendingPost | undefined, slug: string}} props
 */
export function Sheet({ dialog, message, slug }) {
  const close = () => dialog.current?.close();
  const onClick = (/** @type {MouseEvent} */ event) => event.target === event.currentTarget && close();
  const take = (/** @type {Action} */ action) => () => {
    close();
    if (message) action.act(message, slug);
  };
  return html`
    <dialog class="sheet" aria-label="Actions for the message" ref=${dialog} onClick=${onClick}>
      ${
        message &&
        html`
          <p class="about">
            <bdi>${message.name}</bdi> · <time datetime=${message.inserted_at}>${fullDate(message.inserted_at)}</time>
          </p>
          ${actionsFor(message).map(
            (action) => html`
              <button type="button" onClick=${take(action)}><${action.icon} />${action.label}</button>
            `,
          )}
        `
      }
      <button class="plain" type="button" onClick=${close}>Cancel</button>
    </dialog>
  `;
}
