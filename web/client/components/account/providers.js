import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { html } from "../../html.js";
import { drawNow } from "../draw-now.js";
import { goToProvider, useOpenIdProviders } from "./openid.js";
import { EndButton, List, onEscape, useList } from "./list.js";

/** @typedef {{id: string, name: string}} Provider that is linked to the account */

/** Draws the providers that sign the person in, and those that may; nothing where the server knows none. */
export function Providers() {
  const { items, problem, change } = useList("/api/me/providers", ({ providers }) => providers);
  const linked = items.value?.map(({ name }) => name);
  const others = useOpenIdProviders().filter(({ label }) => linked && !linked.includes(label));
  const link = async (/** @type {string} */ id) => {
    // The provider's answer could not be taken without it.
    if (await change("POST", "/api/me/proof", {})) goToProvider(id);
  };
  const isNeeded = useRef(false);
  // The last one that is unlinked leaves the focus to what is said in its place.
  isNeeded.current ||= Boolean(items.value?.length || others.length || problem);
  if (!isNeeded.current) return null;
  return html`
    <h3>Providers</h3>
    <${List} label="Providers" items=${items.value} problem=${problem} empty="No provider signs you in.">
      ${(/** @type {Provider} */ provider) => html`<${Row} provider=${provider} change=${change} />`}
    <//>
    ${
      others.length > 0 &&
      html`
        <div class="other-ways" role="group" aria-label="Providers to link">
          ${others.map(
            ({ id, label }) => html`
              <button key=${id} type="button" onClick=${() => link(id)}>Link <bdi>${label}</bdi></button>
            `,
          )}
        </div>
      `
    }
  `;
}

/** Draws a provider, and the question before it is unlinked. @param {{provider: Provider, change: ReturnType<typeof useList>["change"]}} props */
function Row({ provider: { id, name }, change }) {
  const isAsked = useSignal(false);
  const opener = useRef(/** @type {HTMLElement | null} */ (null));
  const keeper = useRef(/** @type {HTMLElement | null} */ (null));
  const open = () => {
    drawNow(() => (isAsked.value = true));
    keeper.current?.focus();
  };
  const close = () => {
    drawNow(() => (isAsked.value = false));
    opener.current?.focus();
  };
  const unlink = async () => {
    await change("DELETE", `/api/me/providers/${id}`);
    isAsked.value = false;
  };
  if (!isAsked.value) {
    return html`
      <span class="what">Signs in with <bdi>${name}</bdi></span>
      <span class="acts">
        <button key="ask" class="link" type="button" aria-label=${`Unlink ${name}`} ref=${opener} onClick=${open}>
          Unlink
        </button>
      </span>
    `;
  }
  return html`
    <span class="what">Unlink <bdi>${name}</bdi>?</span>
    <span class="when">You cannot sign in with it any more.</span>
    <span class="acts" role="group" aria-label=${`Unlink ${name}?`} onKeyDown=${onEscape(close)}>
      <button key="keep" class="link" type="button" ref=${keeper} onClick=${close}>Keep</button>
      <${EndButton} words="Unlink" of=${name} act=${unlink} />
    </span>
  `;
}
