import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask } from "../../account/api.js";
import { leaveForProvider } from "../../browser/route.js";

/** @typedef {{id: string, label: string}} OpenIdProvider by which the server lets people sign in */

/** Reads the providers that the server knows. @returns {OpenIdProvider[]} */
export function useOpenIdProviders() {
  const providers = useSignal(/** @type {OpenIdProvider[]} */ ([]));
  useEffect(() => {
    const note = (/** @type {{providers: OpenIdProvider[]}} */ answer) => void (providers.value = answer.providers);
    ask("GET", "/api/oidc").then(note, () => {}); // a server that cannot say them says so to the form too
  }, []);
  return providers.value;
}

/**
 * Leaves for a provider, from where the person comes back to this room. Who is signed in has it linked then.
 *
 * @param {string} id
 */
export function goToProvider(id) {
  location.assign(`/api/oidc/${encodeURIComponent(id)}/start?next=${encodeURIComponent(leaveForProvider())}`);
}
