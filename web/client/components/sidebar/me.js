import { html } from "../../html.js";
import { name } from "../../me.js";
import { Avatar } from "../avatar.js";
import { Edit } from "../icons.js";
import { isAskingForName } from "../name-dialog.js";

/** Draws this person's name and the button that changes it. */
export function Me() {
  const changeName = () => (isAskingForName.value = true);
  return html`
    <div class="me">
      <${Avatar} name=${name.value || "?"} />
      <bdi class="name">${name.value}</bdi>
      <button class="quiet-button" type="button" aria-label="Change name" title="Change name" onClick=${changeName}>
        <${Edit} />
      </button>
    </div>
  `;
}
