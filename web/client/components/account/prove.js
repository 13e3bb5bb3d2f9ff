import { ask } from "../../account/api.js";
import { browserHasPasskeys, proveByPasskey } from "../../account/passkeys.js";
import { server } from "../../account/server.js";
import { html } from "../../html.js";
import { hasPassword } from "../../me.js";
import { Form } from "./form.js";
import { useList } from "./list.js";
import { goToProvider, useOpenIdProviders } from "./openid.js";
import { PasskeyButton } from "./other-ways.js";
import { showInDialog } from "./show.js";
import { PASSWORD } from "./sign-in.js";

const TITLE = "proof-title";

/**
 * Has the person show again that it is them, over whatever is open.
 *
 * @returns {Promise<boolean>} whether they did; who goes to a provider comes back in a new page
 */
export function askForProof() {
  return new Promise((resolve) => {
    let isShown = false;
    const dialog = showInDialog({ label: TITLE, className: "sign-in" }, (close) => {
      const done = () => {
        isShown = true;
        close();
      };
      return html`<${Proof} done=${done} cancel=${close} />`;
    });
    dialog.addEventListener("close", () => resolve(isShown));
  });
}

/** Draws each way in which the person can show it. @param {{done: () => void, cancel: () => void}} props */
function Proof({ done, cancel }) {
  const send = async (/** @type {Record<string, string>} */ { password }) => {
    await ask("POST", "/api/me/proof", { password });
    done();
  };
  const showPasskey = async () => {
    if (await proveByPasskey()) done();
  };
  const hasPasskeys = server.value?.no_passkeys === null && browserHasPasskeys();
  const giveUp = html`<button class="plain" type="button" onClick=${cancel}>Cancel</button>`;
  return html`
    <h2 id=${TITLE}>Show that it is you</h2>
    <p class="hint">You signed in a while ago. Nobody else should do this in a browser that you left open.</p>
    ${
      hasPassword.value
        ? html`
            <${Form}
              send=${send}
              actions=${html`${giveUp}<button class="primary" type="submit">Continue</button>`}
            >
              ${(/** @type {any} */ field) => field({ ...PASSWORD, autocomplete: "current-password", autofocus: true })}
            <//>
          `
        : html`<div class="actions">${giveUp}</div>`
    }
    <div class="other-ways" role="group" aria-label="Other ways to show it">
      ${hasPasskeys && html`<${PasskeyButton} words="Use a passkey" act=${showPasskey} />`}
      <${LinkedProviders} />
    </div>
  `;
}

/** Draws a button for each provider that is linked. */
function LinkedProviders() {
  const { items } = useList("/api/me/providers", ({ providers }) => providers);
  const linked = items.value?.map(({ name }) => name) ?? [];
  return useOpenIdProviders()
    .filter(({ label }) => linked.includes(label))
    .map(
      ({ id, label }) => html`
        <button key=${id} type="button" onClick=${() => goToProvider(id)}>Sign in again with <bdi>${label}</bdi></button>
      `,
    );
}
