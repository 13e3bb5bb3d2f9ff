import { ask } from "../../account/api.js";
import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { Form } from "./form.js";
import { EndButton, List, useList } from "./list.js";
import { ShownOnce } from "./shown-once.js";

/** @typedef {{id: number, uses_left: number | null, expires_at: string | null}} Invite */

/** Draws the invites that the person has made, and makes another. */
export function Invites() {
  const list = useList("/api/invites", ({ invites }) => invites);
  const { items, problem, read, end, made } = list;
  const send = async ({ uses = "" }) => {
    const { id, code, url } = await ask("POST", "/api/invites", { uses: Number(uses) });
    made.value = { id, secret: url ?? code };
    await read();
  };
  return html`
    <h3>Invites</h3>
    <p class="hint">Somebody with an invite may create an account here. It works for a week.</p>
    <${List} label="Invites" items=${items.value} problem=${problem} empty="There are none.">
      ${(/** @type {Invite} */ invite) => html`<${Row} invite=${invite} end=${end} />`}
    <//>
    <${ShownOnce} what="the invite" made=${made} />
    <${Form}
      resets=${true}
      label="New invite"
      list=${list}
      send=${send}
      actions=${html`<button class="primary" type="submit">Make an invite</button>`}
    >
      ${(/** @type {any} */ field) => field({ ...USES })}
    <//>
  `;
}

const USES = {
  ...{ name: "uses", label: "For how many people", autocomplete: "off" },
  ...{ type: "number", value: "1" },
};

/** @param {{invite: Invite, end: (id: number) => void}} props */
function Row({ invite: { id, uses_left, expires_at }, end }) {
  const people = uses_left === null ? "any number of people" : uses_left === 1 ? "1 person" : `${uses_left} people`;
  return html`
    <span class="what">For ${people}</span>
    ${expires_at && html`<span class="when">until <time datetime=${expires_at}>${fullDate(expires_at)}</time></span>`}
    <${EndButton} words="Revoke" of=${`the invite for ${people}`} act=${() => end(id)} />
  `;
}
