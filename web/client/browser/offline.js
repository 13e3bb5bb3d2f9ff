/**
 * Has a service worker keep the page for when its server cannot be reached.
 *
 * Only a bundle has one: sources change without a new address, so a kept one could be an old one. It waits until the
 * page has loaded, which needs the line more.
 */
export function keepOffline() {
  const isBundle = new URL(import.meta.url).pathname.startsWith("/assets/");
  if (!isBundle || !isSecureContext || !("serviceWorker" in navigator)) return;
  // It may be forbidden, as in some private windows. The page then works while there is a server.
  const register = () => navigator.serviceWorker.register("/sw.js").catch(() => {});
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
