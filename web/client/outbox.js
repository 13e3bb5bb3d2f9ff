import { newId } from "./browser/id.js";

/** @typedef {import("./room/posts.js").PendingPost} PendingPost */
/** @typedef {PendingPost & {room: string, page: string}} KeptPost */

const DATABASE = "chatter";
const POSTS = "posts";
/** The id of this page among all that this browser has open. It holds a lock, so that the others know it is open. */
const PAGE = newId();
const pageLockName = (/** @type {string} */ page) => `chatter:page:${page}`;
globalThis.navigator?.locks?.request(pageLockName(PAGE), () => new Promise(() => {})).catch(() => {}); // forbidden

/** @type {Promise<IDBDatabase> | undefined} */
let database;

/**
 * Outbox keeps the unacknowledged posts of all rooms in IndexedDB.
 *
 * Closing the page or a crash of the browser loses none of them. Each post belongs to the page it was written in; when
 * that is gone, another one adopts it.
 *
 * A browser that forbids IndexedDB keeps nothing. Without the Web Locks API, so in insecure contexts, two pages may
 * send the same post; the server posts it once.
 */
export class Outbox {
  /** Returns the part of one room. @param {string} room */
  of(room) {
    return {
      keep: (/** @type {PendingPost} */ post) => keep({ ...post, room, page: PAGE }),
      forget: (/** @type {string} */ id) => request("readwrite", (posts) => posts.delete(id)),
    };
  }

  /**
   * Takes over the posts of pages that are gone, under all of their authors' names.
   *
   * @returns {Promise<Map<string, PendingPost[]>>} by room, in the order they were written
   */
  adopt() {
    return withExclusiveLock(async (isOpen) => {
      /** @type {KeptPost[]} */
      const kept = (await request("readonly", (posts) => posts.getAll())) ?? [];
      const orphans = kept.filter((post) => !isOpen(post.page)).sort((a, b) => a.written - b.written);
      await Promise.all(orphans.map((post) => keep({ ...post, page: PAGE })));
      /** @type {Map<string, PendingPost[]>} */
      const byRoom = new Map();
      for (const post of orphans) byRoom.set(post.room, [...(byRoom.get(post.room) ?? []), post]);
      return byRoom;
    });
  }
}

/** @param {KeptPost} post */
function keep(post) {
  return request("readwrite", (posts) => posts.put(post));
}

/**
 * Calls `act` in one page at a time, with a function that says if a page is open.
 *
 * @template T
 * @param {(isOpen: (page: string) => boolean) => Promise<T>} act
 * @returns {Promise<T>}
 */
async function withExclusiveLock(act) {
  try {
    const { locks } = globalThis.navigator;
    return await locks.request("chatter:outbox", async () => {
      const { held = [] } = await locks.query();
      return act((page) => page === PAGE || held.some((lock) => lock.name === pageLockName(page)));
    });
  } catch {
    return act((page) => page === PAGE); // there are no locks, or they are forbidden
  }
}

/**
 * Makes one request to the object store. Returns undefined where the browser keeps nothing.
 *
 * The browser may close the database under us, as it does when the person clears its data. Then it is opened again.
 *
 * @param {IDBTransactionMode} mode
 * @param {(posts: IDBObjectStore) => IDBRequest} act
 * @returns {Promise<any>}
 */
async function request(mode, act) {
  return (await tryRequest(mode, act)) ?? (database ? undefined : tryRequest(mode, act));
}

/**
 * @param {IDBTransactionMode} mode
 * @param {(posts: IDBObjectStore) => IDBRequest} act
 * @returns {Promise<any>}
 */
async function tryRequest(mode, act) {
  try {
    const opened = await (database ??= open());
    return await promisify(act(opened.transaction(POSTS, mode).objectStore(POSTS)));
  } catch {
    database = undefined; // closed, forbidden or full: the posts in memory may be all there is
    return undefined;
  }
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(POSTS, { keyPath: "id" });
  return promisify(opening);
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function promisify(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
