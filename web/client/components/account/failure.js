import { failureWords } from "../../account/refusals.js";
import { isRequired } from "../../account/server.js";
import { joinCode } from "../../browser/route.js";
import { html } from "../../html.js";
import { isSignedIn } from "../../me.js";
import { openJoin } from "../room-dialogs/open.js";
import { showInDialog } from "./show.js";
import { showSignIn } from "./sign-in.js";

const TITLE = "failure-title";

/** Says why a provider has signed nobody in. @param {string} reason */
export function showFailure(reason) {
  showInDialog({ label: TITLE, className: "sign-in" }, (close) => html`<${Failure} reason=${reason} close=${close} />`);
}

/** @param {{reason: string, close: () => void}} props */
function Failure({ reason, close }) {
  const invite = isSignedIn.value ? "" : joinCode();
  const again = () => {
    close();
    showSignIn(invite ? { face: "up", invite } : {});
  };
  const leave = () => {
    close();
    if (joinCode()) openJoin(joinCode());
  };
  // Without an invitation the form is there, above the composer, or not needed.
  const mayRetry = invite || (!isSignedIn.value && !isRequired.value);
  return html`
    <h2 id=${TITLE}>Signing in did not work</h2>
    <p>${failureWords(reason)}</p>
    ${invite && reason === "sign_up_closed" && html`<p>Create one with your invite. Then you can link that sign-in to it.</p>`}
    <div class="actions">
      <button class=${mayRetry ? "plain" : "primary"} type="button" onClick=${leave}>Close</button>
      ${
        mayRetry &&
        html`
          <button class="primary" type="button" autofocus onClick=${again}>
            ${invite ? "Create an account" : "Sign in another way"}
          </button>
        `
      }
    </div>
  `;
}
