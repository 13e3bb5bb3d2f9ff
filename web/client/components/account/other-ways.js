import { useSignal } from "@preact/signals";
import { maySignIn } from "../../account/identity.js";
import { browserHasPasskeys, signInWithPasskey } from "../../account/passkeys.js";
import { server } from "../../account/server.js";
import { html } from "../../html.js";
import { goToProvider, useOpenIdProviders } from "./openid.js";
import { useProblem } from "./problem.js";

/** Draws a button for each way to sign in without a password; nothing where there is none. */
export function OtherWays() {
  const providers = useOpenIdProviders();
  const hasPasskeys = server.value?.no_passkeys === null && browserHasPasskeys();
  if (!hasPasskeys && !providers.length) return null;
  const leaveFor = async (/** @type {string} */ id) => {
    if (await maySignIn()) goToProvider(id);
  };
  return html`
    <div class="other-ways" role="group" aria-label="Other ways to sign in">
      ${hasPasskeys && html`<${PasskeyButton} words="Sign in with a passkey" act=${signInWithPasskey} />`}
      ${providers.map(
        ({ id, label }) => html`
          <button key=${id} type="button" onClick=${() => leaveFor(id)}>Sign in with <bdi>${label}</bdi></button>
        `,
      )}
    </div>
  `;
}

/** Draws the button that has the browser ask for a passkey. @param {{words: string, act: () => Promise<void>}} props */
export function PasskeyButton({ words, act }) {
  const problem = useProblem();
  const isBusy = useSignal(false);
  const onClick = async () => {
    if (isBusy.peek()) return;
    isBusy.value = true;
    problem.clear();
    try {
      await act();
    } catch (refusal) {
      problem.note(refusal);
    } finally {
      isBusy.value = false;
    }
  };
  return html`
    <div>
      <button type="button" aria-busy=${isBusy.value} onClick=${onClick}>${words}</button>
      <p class="problem" role="alert">${problem.words}</p>
    </div>
  `;
}
