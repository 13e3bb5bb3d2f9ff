import { isRequired, server } from "../../account/server.js";
import { html } from "../../html.js";
import { account, name } from "../../me.js";
import { namesGuest } from "../../text/names.js";
import { openSignIn } from "../account/open.js";
import { Avatar } from "../avatar.js";
import { forMembers, partForMembers } from "../for-members.js";
import { Edit, More } from "../icons.js";
import { loadPart } from "../load-part.js";
import { askForAnotherName } from "../name-dialog.js";

const MeMenu = partForMembers("MeMenu");

/** Draws who this person is: a guest with a name, or somebody with an account. Who has no name is asked for one elsewhere. */
export function Me() {
  return account.value ? html`<${Person} ...${account.value} />` : html`<${Guest} />`;
}

function Guest() {
  const mayBeMore = server.value !== null && !isRequired.value; // else there is a form above the composer
  return html`
    <div class="me">
      <${Avatar} name=${name.value || "?"} isGuest=${mayBeMore} />
      <span class="who-am-i">
        <bdi class="name">${name.value}</bdi>
        ${mayBeMore && !namesGuest(name.value) && html`<span class="handle">guest</span>`}
      </span>
      ${name.value && html`<${ChangeName} />`}
      ${mayBeMore && html`<button class="sign-in-button" type="button" onClick=${() => openSignIn()}>Sign in</button>`}
    </div>
  `;
}

/** @param {{name: string, handle: string}} props */
function Person({ name, handle }) {
  const open = (/** @type {any} */ { currentTarget }) =>
    loadPart(forMembers, ({ openMeMenu }) => openMeMenu(currentTarget));
  return html`
    <div class="me">
      <${Avatar} name=${name} />
      <span class="who-am-i"><bdi class="name">${name}</bdi><span class="handle">@${handle}</span></span>
      <button class="quiet-button" type="button" aria-label="Your account" aria-haspopup="menu" onClick=${open}>
        <${More} />
      </button>
    </div>
    <${MeMenu} />
  `;
}

function ChangeName() {
  return html`
    <button class="quiet-button" type="button" aria-label="Change name" title="Change name" onClick=${askForAnotherName}>
      <${Edit} />
    </button>
  `;
}
