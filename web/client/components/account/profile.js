import { ask } from "../../account/api.js";
import { checkIdentity } from "../../account/identity.js";
import { sessionRenewed } from "../../account/session.js";
import { html } from "../../html.js";
import { account, hasPassword } from "../../me.js";
import { cleanName } from "../../text/cleaning.js";
import { showToast } from "../toast.js";
import { cleanHandle, Form } from "./form.js";
import { HANDLE, HANDLE_HINT, NAME, passwordHint } from "./sign-in.js";

/** Draws the person's names and password, each with its form. */
export function Profile() {
  const { handle = "", name = "" } = account.value ?? {};
  return html`
    <h3>Your names</h3>
    <${Form}
      label="Your names"
      send=${saveNames}
      actions=${html`<button class="primary" type="submit">Save names</button>`}
    >
      ${(/** @type {any} */ field) => html`
        ${field({ ...NAME, value: name })} ${field({ ...HANDLE, value: handle, hint: HANDLE_HINT })}
      `}
    <//>
    ${hasPassword.value && html`<${Password} handle=${handle} />`}
  `;
}

/** Password managers take the handle from its field. @param {{handle: string}} props */
function Password({ handle }) {
  return html`
    <h3>Your password</h3>
    <${Form}
      label="Your password"
      resets=${true}
      send=${savePassword}
      actions=${html`<button class="primary" type="submit">Change password</button>`}
    >
      ${(/** @type {any} */ field) => html`
        <input class="sr-only" type="text" name="username" autocomplete="username" defaultValue=${handle} tabindex="-1" readonly aria-hidden="true" />
        ${field({ ...OLD })} ${field({ ...NEW, hint: passwordHint() })}
      `}
    <//>
  `;
}

const OLD = {
  ...{ name: "old_password", label: "Current password" },
  ...{ type: "password", autocomplete: "current-password" },
};
const NEW = {
  ...{ name: "password", label: "New password" },
  ...{ type: "password", autocomplete: "new-password" },
};

/** Saves what has changed. @param {Record<string, string>} typed */
async function saveNames(typed) {
  const next = { name: cleanName(typed.name ?? ""), handle: cleanHandle(typed.handle) };
  const { name, handle } = account.peek() ?? {};
  const changes = {
    ...(next.name !== name && { name: next.name }),
    ...(next.handle !== handle && { handle: next.handle }),
  };
  if (Object.keys(changes).length) await ask("PUT", "/api/me", changes);
  await checkIdentity(); // which loads the page anew for another handle
  showToast("Saved");
}

/** @param {Record<string, string>} typed */
async function savePassword({ old_password, password }) {
  try {
    await ask("PUT", "/api/me", { old_password, password });
  } catch (refusal) {
    const { reason } = /** @type {import("../../account/api.js").Refusal} */ (refusal);
    throw reason === "wrong" ? { .../** @type {object} */ (refusal), field: "old_password" } : refusal;
  }
  sessionRenewed();
  showToast("Your password is changed. Every other browser is signed out.");
}
