import { ask } from "../../account/api.js";
import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { Form } from "./form.js";
import { EndButton, List, useList } from "./list.js";
import { ShownOnce } from "./shown-once.js";

/** @typedef {{id: number, label: string, scopes: string[], expires_at: string | null}} Token */

const DAY_S = 86_400;
const DAYS = 90;
/** What a token may be for, and what people read for it. @type {[string, string][]} */
const SCOPES = [
  ["read", "read rooms"],
  ["post", "write in rooms"],
];

/** Draws the access tokens, with which programs act for the person. */
export function Tokens() {
  const list = useList("/api/tokens", ({ tokens }) => tokens);
  const { items, problem, read, end, made } = list;
  const send = async (/** @type {Record<string, string>} */ { label = "", ...checked }) => {
    const scopes = SCOPES.map(([scope]) => scope).filter((scope) => scope in checked);
    const asked = { label: label.trim(), scopes, expires_in: DAYS * DAY_S };
    const { id, token } = await ask("POST", "/api/tokens", asked);
    made.value = { id, secret: token };
    await read();
  };
  return html`
    <h3>Access tokens</h3>
    <p class="hint">With a token a program acts for you. Each lasts ${DAYS} days.</p>
    <${List} label="Access tokens" items=${items.value} problem=${problem} empty="You have none.">
      ${(/** @type {Token} */ { id, label, scopes, expires_at }) => html`
        <span class="what">${label}</span>
        <span class="when">
          may ${scopes.map((scope) => new Map(SCOPES).get(scope) ?? scope).join(" and ")}
          ${expires_at && html`, until <time datetime=${expires_at}>${fullDate(expires_at)}</time>`}
        </span>
        <${EndButton} words="Revoke" of=${label} act=${() => end(id)} />
      `}
    <//>
    <${ShownOnce} what="the token" made=${made} />
    <${Form}
      resets=${true}
      label="New access token"
      list=${list}
      send=${send}
      actions=${html`<button class="primary" type="submit">Make a token</button>`}
    >
      ${(/** @type {any} */ field) => html`
        ${field({ name: "label", label: "What it is for", autocomplete: "off" })}
        <fieldset>
          <legend>It may</legend>
          ${SCOPES.map(
            ([scope, words]) => html`
              <label class="check"><input type="checkbox" name=${scope} defaultChecked=${true} />${words}</label>
            `,
          )}
        </fieldset>
      `}
    <//>
  `;
}
