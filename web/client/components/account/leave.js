import { useSignal } from "@preact/signals";
import { deleteAccount } from "../../account/identity.js";
import { html } from "../../html.js";
import { Form } from "./form.js";
import { PASSWORD } from "./sign-in.js";

/** Draws how one takes one's data, and leaves for good. */
export function Leave() {
  const isAsked = useSignal(false);
  const remove = ({ password = "" }) => deleteAccount(password);
  return html`
    <h3>Take your data</h3>
    <p class="hint">A file with what is kept about you.</p>
    <div class="actions"><a class="plain" href="/api/me/export" download>Export</a></div>
    <h3>Delete your account</h3>
    <p class="hint">Nobody can bring it back, and nobody gets your handle.</p>
    ${
      isAsked.value
        ? html`
            <${Form}
              label="Delete your account"
              send=${remove}
              actions=${html`<button class="primary bad" type="submit">Delete for ever</button>`}
            >
              ${(/** @type {any} */ field) => field({ ...PASSWORD, autocomplete: "current-password", autofocus: true })}
            <//>
          `
        : html`
            <div class="actions">
              <button class="plain bad" type="button" onClick=${() => (isAsked.value = true)}>Delete my account</button>
            </div>
          `
    }
  `;
}
