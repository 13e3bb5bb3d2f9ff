import { addPasskey, browserHasPasskeys } from "../../account/passkeys.js";
import { server } from "../../account/server.js";
import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { Form } from "./form.js";
import { EndButton, List, useList } from "./list.js";

/**
 * @typedef {object} Passkey
 * @property {number} id
 * @property {string} label
 * @property {string} created_at
 * @property {string | null} used_at
 */

/** Why none can be added here. @type {Record<string, string>} */
const FAULTS = {
  not_installed: "This server lacks the package for passkeys. Its admin can install it.",
  insecure: "Browsers have passkeys only on https, and this page is on http.",
  address: "Passkeys belong to a host name. Open this page at its public address to use them.",
};

/** Draws the passkeys of the account, and adds another. */
export function Passkeys() {
  const list = useList("/api/passkeys", ({ passkeys }) => passkeys);
  const { items, problem, end } = list;
  const fault = faultOf(server.value?.no_passkeys);
  return html`
    <h3>Passkeys</h3>
    <p class="hint">With a passkey you sign in by your device or a security key, without a password.</p>
    <${List} label="Passkeys" items=${items.value} problem=${problem} empty="You have none.">
      ${(/** @type {Passkey} */ passkey) => html`<${Row} passkey=${passkey} end=${end} />`}
    <//>
    ${fault ? html`<p class="fault">${fault}</p>` : html`<${Add} list=${list} />`}
  `;
}

/** @param {import("../../account/server.js").ServerInfo["no_passkeys"]} [reason] */
function faultOf(reason) {
  if (reason) return FAULTS[reason] ?? "This server has no passkeys here.";
  return browserHasPasskeys() ? "" : "This browser cannot add passkeys. A newer one can.";
}

/** @param {{list: ReturnType<typeof useList>}} props */
function Add({ list }) {
  const send = async ({ label = "" }) => {
    const isAdded = await addPasskey(label.trim());
    if (isAdded) await list.read();
    return isAdded;
  };
  return html`
    <${Form}
      resets=${true}
      list=${list}
      label="New passkey"
      send=${send}
      actions=${html`<button class="primary" type="submit">Add a passkey</button>`}
    >
      ${(/** @type {any} */ field) => field({ ...LABEL })}
    <//>
  `;
}

const LABEL = {
  ...{ name: "label", label: "What you call it", autocomplete: "off" },
  ...{ hint: "The device that has it, for example. Your browser asks where to keep it." },
};

/** @param {{passkey: Passkey, end: (id: number) => void}} props */
function Row({ passkey: { id, label, created_at, used_at }, end }) {
  const name = label || "Passkey";
  return html`
    <span class="what">${name}</span>
    <span class="when">
      created <time datetime=${created_at}>${fullDate(created_at)}</time>,
      ${used_at ? html` last used <time datetime=${used_at}>${fullDate(used_at)}</time>` : " never used"}
    </span>
    <${EndButton} words="Delete" of=${name} act=${() => end(id)} />
  `;
}
