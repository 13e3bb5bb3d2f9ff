import { useSignal } from "@preact/signals";
import { ask } from "../../account/api.js";
import { html } from "../../html.js";
import { cleanHandle, Form } from "./form.js";
import { ShownOnce } from "./shown-once.js";

/** @typedef {import("../../account/api.js").Refusal} Refusal */

/** What a link may be for, and what people read for it. @type {[string, string][]} */
const KINDS = [
  ["sign_in", "Signs in once, within 15 minutes"],
  ["reset", "Chooses a new password, within 4 hours"],
];

/** Draws how an admin makes a link for somebody who cannot sign in. */
export function Links() {
  const made = useSignal({ handle: "", secret: "" });
  const send = async (/** @type {Record<string, string>} */ { handle: typed, kind }) => {
    const handle = cleanHandle(typed);
    const { url } = await ask("POST", "/api/links", { handle, kind }).catch((refusal) => refuse(refusal, handle));
    made.value = { handle, secret: url };
  };
  return html`
    <h3>Links for others</h3>
    <p class="hint">Whoever opens such a link first is that person: send it to nobody else.</p>
    <${ShownOnce} what=${`the link for @${made.value.handle}`} made=${made} />
    <${Form}
      resets=${true}
      label="New link"
      send=${send}
      actions=${html`<button class="primary" type="submit">Make a link</button>`}
    >
      ${(/** @type {any} */ field) => html`
        ${field({ name: "handle", label: "Handle", autocomplete: "off" })}
        <fieldset>
          <legend>What it does</legend>
          ${KINDS.map(
            ([kind, words], index) => html`
              <label class="check">
                <input type="radio" name="kind" value=${kind} defaultChecked=${!index} />${words}
              </label>
            `,
          )}
        </fieldset>
      `}
    <//>
  `;
}

/** Says that nobody has the handle, beside its field. @param {Refusal} refusal @param {string} handle @returns {never} */
function refuse(refusal, handle) {
  if (refusal.reason !== "not_found") throw refusal;
  throw { ...refusal, reason: "invalid", field: "handle", message: `nobody here is called @${handle}` };
}
