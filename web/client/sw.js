/**
 * The service worker: opens the page where its server cannot be reached.
 *
 * The page itself always comes from the server while there is one, so that no old program talks to a newer server. The
 * scripts have their content's hash in their names: the one that is kept is the one that is asked for. Each bundle has a
 * service worker of its own, as `BUNDLE` differs; it keeps its own page and drops what earlier ones kept.
 */

/** @typedef {Event & {waitUntil: (work: Promise<unknown>) => void}} LifecycleEvent */
/** @typedef {LifecycleEvent & {request: Request, respondWith: (answer: Promise<Response>) => void}} RequestEvent */

/** What the build writes above this: which bundle it is, and the scripts that its page needs. */
const BUNDLE = /** @type {{version: string, assets: string[]}} */ (Reflect.get(self, "BUNDLE"));
const PAGE = "/";
const OURS = "chatter ";
const CACHE = OURS + BUNDLE.version;
/** A proxy answers so while there is no server behind it. */
const UNREACHABLE = [502, 503, 504];

addEventListener("install", (event) => /** @type {LifecycleEvent} */ (event).waitUntil(install()));
addEventListener("activate", (event) => /** @type {LifecycleEvent} */ (event).waitUntil(dropOlder()));
addEventListener("fetch", (event) => answer(/** @type {RequestEvent} */ (event)));

/** Keeps the page and its scripts: all of them, or this service worker is not installed. */
async function install() {
  const page = await fetch(PAGE, { cache: "no-cache" });
  const text = await page.clone().text();
  if (!BUNDLE.assets.every((address) => text.includes(address))) throw new Error("the server has another bundle");
  const cache = await caches.open(CACHE);
  await cache.addAll(BUNDLE.assets);
  await cache.put(PAGE, page);
  // Safe at once, since a page asks only for scripts of its own bundle.
  await /** @type {any} */ (self).skipWaiting();
}

async function dropOlder() {
  const names = await caches.keys();
  const older = names.filter((name) => name.startsWith(OURS) && name !== CACHE);
  await Promise.all(older.map((name) => caches.delete(name)));
}

/** Leaves everything but the page and its scripts to the browser. @param {RequestEvent} event */
function answer(event) {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && (pathname === PAGE || pathname.startsWith("/rooms/"))) {
    event.respondWith(pageOf(request));
  } else if (pathname.startsWith("/assets/")) {
    event.respondWith(assetOf(request));
  }
}

/** @param {Request} request */
async function pageOf(request) {
  const kept = () => caches.match(PAGE, { cacheName: CACHE });
  try {
    const response = await fetch(request);
    return (UNREACHABLE.includes(response.status) && (await kept())) || response;
  } catch (error) {
    const page = await kept();
    if (page) return page;
    throw error;
  }
}

/** @param {Request} request */
async function assetOf(request) {
  const kept = await caches.match(request, { cacheName: CACHE });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) keep(request, response.clone());
  return response;
}

/** Keeps an asset, where there is room for it. @param {Request} request @param {Response} response */
async function keep(request, response) {
  try {
    await (await caches.open(CACHE)).put(request, response);
  } catch {
    // The page has it, and it is fetched again.
  }
}
