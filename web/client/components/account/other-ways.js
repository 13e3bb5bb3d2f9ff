import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "../../account/api.js";
import { browserHasPasskeys, signInWithPasskey } from "../../account/passkeys.js";
import { problemOf } from "../../account/refusals.js";
import { server } from "../../account/server.js";
import { html } from "../../html.js";

/** @typedef {{id: string, label: string}} Provider of OpenID Connect */

/** Draws a button for each way to sign in without a password; nothing where there is none. */
export function OtherWays() {
  const providers = useProviders();
  const hasPasskeys = server.value?.no_passkeys === null && browserHasPasskeys();
  if (!hasPasskeys && !providers.length) return null;
  return html`
    <div class="other-ways" role="group" aria-label="Other ways to sign in">
      ${hasPasskeys && html`<${WithPasskey} />`}
      ${providers.map(
        ({ id, label }) => html`
          <button key=${id} type="button" onClick=${() => goTo(id)}>Sign in with <bdi>${label}</bdi></button>
        `,
      )}
    </div>
  `;
}

/** Draws the button that has the browser ask for a passkey. */
function WithPasskey() {
  const problem = useSignal("");
  const isBusy = useSignal(false);
  const signIn = async () => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    problem.value = "";
    try {
      await signInWithPasskey();
    } catch (refusal) {
      problem.value = problemOf(/** @type {import("../../account/api.js").Refusal} */ (refusal)).words;
    } finally {
      isBusy.value = false;
    }
  };
  return html`
    <div>
      <button type="button" aria-busy=${isBusy.value} onClick=${signIn}>Sign in with a passkey</button>
      <p class="problem" role="alert">${problem.value}</p>
    </div>
  `;
}

/** Reads the providers that the server knows. @returns {Provider[]} */
function useProviders() {
  const providers = useSignal(/** @type {Provider[]} */ ([]));
  useEffect(() => {
    const note = (/** @type {{providers: Provider[]}} */ answer) => void (providers.value = answer.providers);
    ask("GET", "/api/oidc").then(note, () => {}); // a server that cannot say them says so to the form too
  }, []);
  return providers.value;
}

/** Leaves for a provider, from where the person comes back to this room. @param {string} id */
function goTo(id) {
  location.assign(`/api/oidc/${encodeURIComponent(id)}/start?next=${encodeURIComponent(location.pathname)}`);
}
