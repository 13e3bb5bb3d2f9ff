/**
 * Returns a random id. `randomUUID` exists only in secure contexts, and plain http on a LAN address is not one.
 *
 * @returns {string}
 */
export function newId() {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  const bytes = /** @type {Crypto} */ (crypto).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
