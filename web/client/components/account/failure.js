import { failureWords } from "../../account/refusals.js";
import { isRequired } from "../../account/server.js";
import { html } from "../../html.js";
import { isSignedIn } from "../../me.js";
import { showInDialog } from "./show.js";
import { showSignIn } from "./sign-in.js";

const TITLE = "failure-title";

/** Says why a provider has signed nobody in. @param {string} reason */
export function showFailure(reason) {
  showInDialog({ label: TITLE, className: "sign-in" }, (close) => html`<${Failure} reason=${reason} close=${close} />`);
}

/** @param {{reason: string, close: () => void}} props */
function Failure({ reason, close }) {
  const again = () => {
    close();
    showSignIn({});
  };
  const mayRetry = !isSignedIn.value && !isRequired.value; // else the form is there, above the composer, or not needed
  return html`
    <h2 id=${TITLE}>Signing in did not work</h2>
    <p>${failureWords(reason)}</p>
    <div class="actions">
      <button class=${mayRetry ? "plain" : "primary"} type="button" onClick=${close}>Close</button>
      ${mayRetry && html`<button class="primary" type="button" autofocus onClick=${again}>Sign in another way</button>`}
    </div>
  `;
}
