import { useSignal } from "@preact/signals";
import { onProofWanted } from "../../account/api.js";
import { isSignUpClosed, server } from "../../account/server.js";
import { html } from "../../html.js";
import { role } from "../../me.js";
import { Close } from "../icons.js";
import { Invites } from "./invites.js";
import { Leave } from "./leave.js";
import { Links } from "./links.js";
import { Passkeys } from "./passkeys.js";
import { Profile } from "./profile.js";
import { askForProof } from "./prove.js";
import { Providers } from "./providers.js";
import { Sessions } from "./sessions.js";
import { showInDialog } from "./show.js";
import { Tokens } from "./tokens.js";

const TITLE = "account-title";

/** The parts of the dialog, each with what draws it. @type {[string, () => any][]} */
const PARTS = [
  ["Profile", Profile],
  ["Signed in", Sessions],
  ["Passkeys", Passkeys],
  ["Tokens", Tokens],
  ["Invites", Invites],
  ["Links", Links],
  ["Leave", Leave],
];

/** Whether the server has turned passkeys off, or not told of them yet. */
function lacksPasskeys() {
  const { no_passkeys = "off" } = server.value ?? {};
  return no_passkeys === "off";
}

/** @returns {[string, () => any][]} */
function partsHere() {
  const hidden = [lacksPasskeys() && Passkeys, isSignUpClosed.value && Invites, role.value !== "admin" && Links];
  return PARTS.filter(([, Part]) => !hidden.includes(Part));
}

/** The part with the providers: they are beside the passkeys, where there are any. */
function partOfProviders() {
  return lacksPasskeys() ? Sessions : Passkeys;
}

/** Shows what the person's account is, and where it is used. */
export function showAccount() {
  onProofWanted(askForProof);
  showInDialog({ label: TITLE, className: "account" }, (close) => html`<${Account} close=${close} />`);
}

/** @param {{close: () => void}} props */
function Account({ close }) {
  const shown = useSignal("Profile");
  const [, Shown] = /** @type {[string, () => any]} */ (PARTS.find(([name]) => name === shown.value));
  return html`
    <h2 id=${TITLE}>Your account</h2>
    <button class="quiet-button close-dialog" type="button" aria-label="Close" onClick=${close}><${Close} /></button>
    <nav class="parts" aria-label="Parts of your account">
      ${partsHere().map(
        ([name]) => html`
          <button type="button" aria-current=${name === shown.value} onClick=${() => (shown.value = name)}>${name}</button>
        `,
      )}
    </nav>
    <div class="part">
      <${Shown} key=${shown.value} />
      ${Shown === partOfProviders() && html`<${Providers} />`}
    </div>
  `;
}
