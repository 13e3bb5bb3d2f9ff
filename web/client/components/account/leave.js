import { useSignal } from "@preact/signals";
import { leaveServer } from "../../account/identity.js";
import { server } from "../../account/server.js";
import { html } from "../../html.js";
import { hasPassword } from "../../me.js";
import { Form } from "./form.js";
import { PASSWORD } from "./sign-in.js";

/** Draws how one takes one's data, and leaves. */
export function Leave() {
  const isAsked = useSignal(false);
  return html`
    <h3>Take your data</h3>
    <p class="hint">A file with what is kept about you, and all that you have said.</p>
    <div class="actions"><a class="plain" href="/api/me/export" download>Export</a></div>
    <h3>Delete your account</h3>
    <p class="hint">${consequence()}</p>
    ${
      isAsked.value
        ? html`<${Choice} />`
        : html`
            <div class="actions">
              <button class="plain bad" type="button" onClick=${() => (isAsked.value = true)}>Delete my account</button>
            </div>
          `
    }
  `;
}

/** Draws what is to become of what the person has said. */
function Choice() {
  const send = (/** @type {Record<string, string>} */ { password, messages = "keep" }) =>
    leaveServer({ ...(password !== undefined && { password }), messages }, farewell());
  const days = server.value?.leave_days ?? 7;
  return html`
    <${Form}
      label="Delete your account"
      send=${send}
      actions=${html`<button class="primary bad" type="submit">${days ? "Leave" : "Delete for ever"}</button>`}
    >
      ${(/** @type {any} */ field) => html`
        <fieldset>
          <legend>What you have said</legend>
          <label class="check">
            <input type="radio" name="messages" value="keep" defaultChecked=${true} />
            Stays, as said by a “deleted account”
          </label>
          <label class="check">
            <input type="radio" name="messages" value="erase" />
            Is erased, too: the others see that something was deleted
          </label>
        </fieldset>
        ${hasPassword.value && field({ ...PASSWORD, autocomplete: "current-password", autofocus: true })}
      `}
    <//>
  `;
}

/** Says what happens when, and the way back. */
function consequence() {
  const days = server.value?.leave_days ?? 7;
  if (!days) return "Nobody can bring it back, and nobody gets your handle.";
  return `You are signed out everywhere at once. Sign in within ${inDays(days)} and all is as it was, but your tokens and
    invites, and what you have written here and not sent. After that nobody can bring it back, and nobody gets your handle.`;
}

function farewell() {
  const days = server.value?.leave_days ?? 7;
  return days ? `You have left. Sign in within ${inDays(days)} to come back.` : "Your account is deleted.";
}

/** @param {number} days */
function inDays(days) {
  if (days < 1) return "a day";
  return days === 1 ? "one day" : `${Math.floor(days)} days`;
}
