import { html } from "../../html.js";
import { name } from "../../me.js";
import { Avatar } from "../avatar.js";
import { Edit } from "../icons.js";
import { askForAnotherName } from "../name-dialog.js";

/** Draws this person's name and the button that changes it. Who has none is asked for one elsewhere. */
export function Me() {
  return html`
    <div class="me">
      <${Avatar} name=${name.value || "?"} />
      <bdi class="name">${name.value}</bdi>
      ${name.value && html`<${ChangeName} />`}
    </div>
  `;
}

function ChangeName() {
  return html`
    <button class="quiet-button" type="button" aria-label="Change name" title="Change name" onClick=${askForAnotherName}>
      <${Edit} />
    </button>
  `;
}
