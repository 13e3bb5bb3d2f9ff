import { newId } from "../text.js";

/** @typedef {import("./posts.js").PendingPost} PendingPost */

const DATABASE = "chatter";
const POSTS = "posts";
/** The id of this page among all that this browser has open. It holds a lock, so that the others know it is open. */
const PAGE = newId();
const pageLockName = (/** @type {string} */ page) => `chatter:page:${page}`;
globalThis.navigator?.locks?.request(pageLockName(PAGE), () => new Promise(() => {}));

/** @type {Promise<IDBDatabase | null> | undefined} */
let database;

/**
 * Outbox keeps one room's unacknowledged posts in IndexedDB.
 *
 * Closing the page or a crash of the browser loses none of them. Each post belongs to the page it was written in; when
 * that is gone, another one adopts it.
 *
 * A browser that forbids IndexedDB keeps nothing. Without the Web Locks API, so in insecure contexts, two pages may
 * send the same post; the server posts it once.
 */
export class Outbox {
  /** @param {string} room */
  constructor(room) {
    this.room = room;
  }

  /** @param {PendingPost} post */
  async keep(post) {
    await request("readwrite", (posts) => posts.put({ ...post, room: this.room, page: PAGE }));
  }

  /** @param {string} id */
  async forget(id) {
    await request("readwrite", (posts) => posts.delete(id));
  }

  /**
   * Takes over the posts of pages that are gone, under all of their authors' names.
   *
   * @returns {Promise<PendingPost[]>} in the order they were written
   */
  adopt() {
    return withExclusiveLock(async (isOpen) => {
      /** @type {(PendingPost & {room: string, page: string})[]} */
      const kept = (await request("readonly", (posts) => posts.getAll())) ?? [];
      const orphans = kept.filter((post) => post.room === this.room && !isOpen(post.page));
      await Promise.all(orphans.map((post) => this.keep(post)));
      return orphans.sort((a, b) => a.written - b.written);
    });
  }
}

/**
 * Calls `act` in one page at a time, with a function that says if a page is open.
 *
 * @template T
 * @param {(isOpen: (page: string) => boolean) => Promise<T>} act
 * @returns {Promise<T>}
 */
async function withExclusiveLock(act) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return act((page) => page === PAGE);
  return locks.request("chatter:outbox", async () => {
    const { held = [] } = await locks.query();
    return act((page) => page === PAGE || held.some((lock) => lock.name === pageLockName(page)));
  });
}

/**
 * Makes one request to the object store. Returns undefined where the browser keeps nothing.
 *
 * @param {IDBTransactionMode} mode
 * @param {(posts: IDBObjectStore) => IDBRequest} act
 * @returns {Promise<any>}
 */
async function request(mode, act) {
  try {
    const opened = await (database ??= open());
    return opened && (await promisify(act(opened.transaction(POSTS, mode).objectStore(POSTS))));
  } catch {
    return undefined; // Forbidden, full or deleted: the posts in memory are all there is.
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
