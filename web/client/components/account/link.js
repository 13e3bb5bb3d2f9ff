import { ask } from "../../account/api.js";
import { maySignIn, signedIn } from "../../account/identity.js";
import { problemOf } from "../../account/refusals.js";
import { html } from "../../html.js";
import { account, name as myName } from "../../me.js";
import { cleanName } from "../../text/cleaning.js";
import { cleanHandle, Form } from "./form.js";
import { showInDialog } from "./show.js";
import { Actions, HANDLE, HANDLE_HINT, NAME, PASSWORD, passwordHint } from "./sign-in.js";

/** @typedef {{passkeys: number, providers: string[]}} OtherWays */
/** @typedef {{link: string, handle?: string, otherWays?: OtherWays, close: () => void}} Props */

const TITLE = "link-title";

/** Looks what a link is for, and shows the dialog for that. @param {string} link */
export async function showLink(link) {
  const content = await look(link);
  showInDialog({ label: TITLE, className: "sign-in" }, content);
}

/** @param {string} link @returns {Promise<(close: () => void) => any>} */
async function look(link) {
  try {
    const { kind, handle, other_ways: otherWays } = await ask("POST", "/api/links/look", { link });
    const Shown = kind === "setup" ? Setup : kind === "reset" ? Reset : Once;
    return (close) => html`<${Shown} link=${link} handle=${handle} otherWays=${otherWays} close=${close} />`;
  } catch (refusal) {
    const { words } = problemOf(/** @type {import("../../account/api.js").Refusal} */ (refusal));
    return (close) => html`<${Dead} words=${words} close=${close} />`;
  }
}

/** Uses the link, unless the person keeps what they have written. @param {Props} props @param {object} chosen */
async function redeem({ link, handle }, chosen) {
  if (await maySignIn(handle)) await signedIn(await ask("POST", "/api/links/use", { link, ...chosen }));
}

/** Says who is signed in, where the link is for somebody else. @param {{handle?: string}} props */
function Present({ handle }) {
  const present = account.value;
  if (!present || present.handle === handle) return null;
  return html`<p>You are signed in as <bdi>@${present.handle}</bdi>, which ends here.</p>`;
}

/** Draws the form of the first admin. @param {Props} props */
function Setup({ link, close }) {
  const send = (/** @type {Record<string, string>} */ typed) => {
    const name = cleanName(typed.name ?? "");
    return redeem(
      { link, close },
      { handle: cleanHandle(typed.handle), password: typed.password, ...(name && { name }) },
    );
  };
  return html`
    <h2 id=${TITLE}>Become the admin</h2>
    <p>This server has no admin yet. The account that you create now becomes the admin’s.</p>
    <${Present} />
    <${Form} send=${send} actions=${html`<${Actions} onCancel=${close} words="Create account" />`}>
      ${(/** @type {any} */ field) => html`
        ${field({ ...HANDLE, hint: HANDLE_HINT, autofocus: true })}
        ${field({ ...NAME, value: myName.peek() })}
        ${field({ ...PASSWORD, autocomplete: "new-password", hint: passwordHint() })}
      `}
    <//>
  `;
}

/** Draws the form for another password. Password managers take the handle from its field. @param {Props} props */
function Reset({ link, handle = "", otherWays, close }) {
  const send = (/** @type {Record<string, string>} */ { password = "", other_ways = "keep" }) =>
    redeem({ link, handle, close }, { password, other_ways });
  return html`
    <h2 id=${TITLE}>Choose a new password</h2>
    <${Present} handle=${handle} />
    <${Form} send=${send} actions=${html`<${Actions} onCancel=${close} words="Save and sign in" />`}>
      ${(/** @type {any} */ field) => html`
        ${field({ ...HANDLE, value: handle, readonly: true })}
        ${field({ ...PASSWORD, autocomplete: "new-password", hint: passwordHint(), autofocus: true })}
        <${Others} ...${otherWays} />
      `}
    <//>
  `;
}

/**
 * Asks what is to become of the other ways to sign in: of who has forgotten the password they are, and somebody who has
 * got into the account may have added them.
 *
 * @param {Partial<OtherWays>} props
 */
function Others({ passkeys = 0, providers = [] }) {
  const keys = passkeys === 1 ? "A passkey" : `${passkeys} passkeys`;
  const ways = [...(passkeys ? [keys] : []), ...providers];
  if (!ways.length) return null;
  return html`
    <fieldset>
      <legend>What else signs in to this account: ${ways.join(", ")}</legend>
      <label class="check">
        <input type="radio" name="other_ways" value="keep" defaultChecked=${true} />
        Stays: I have forgotten my password
      </label>
      <label class="check">
        <input type="radio" name="other_ways" value="end" />
        Goes: somebody else may have got in
      </label>
    </fieldset>
  `;
}

/** Asks before the link is used up: whoever only looks at an address does not. @param {Props} props */
function Once({ link, handle, close }) {
  return html`
    <h2 id=${TITLE}>Sign in as <bdi>@${handle}</bdi>?</h2>
    <p>This link works once.</p>
    <${Present} handle=${handle} />
    <${Form} send=${() => redeem({ link, handle, close }, {})} actions=${html`<${Actions} onCancel=${close} words="Sign in" />`}>
      ${() => null}
    <//>
  `;
}

/** @param {{words: string, close: () => void}} props */
function Dead({ words, close }) {
  return html`
    <h2 id=${TITLE}>The link does not work</h2>
    <p>${words} Ask the admin for another one.</p>
    <div class="actions"><button class="primary" type="button" onClick=${close}>Close</button></div>
  `;
}
