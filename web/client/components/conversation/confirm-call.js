import { html } from "../../html.js";
import { addToDraft } from "../composer/edits.js";
import { andFocusComposer } from "./pending.js";

/**
 * Asks before many people are called. The words can be taken back into the field.
 *
 * @param {{room: import("../../room/room.js").Room, id: string, people: number, discard: () => void}} props
 */
export function ConfirmCall({ room, id, people, discard }) {
  const confirm = andFocusComposer(() => room.posts.confirm(id));
  const rewrite = () => {
    addToDraft(room.slug, room.posts.pending.peek().find((post) => post.id === id)?.message ?? "");
    discard();
  };
  return html`
    <p class="not-sent" role="alert">
      Notify ${people.toLocaleString()} people? ·${" "}
      <button type="button" onClick=${confirm}>notify them</button> ·${" "}
      <button type="button" onClick=${rewrite}>rewrite</button> ·${" "}
      <button type="button" onClick=${discard}>discard</button>
    </p>
  `;
}
