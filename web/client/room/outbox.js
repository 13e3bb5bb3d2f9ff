import { newId } from "../text.js";

/** @typedef {import("./posts.js").PendingPost} PendingPost */

const DATABASE = "chatter";
const POSTS = "posts";
/** This page among all that this browser has open. Its lock tells the others that it lives. */
const PAGE = newId();
const pageLockName = (/** @type {string} */ page) => `chatter:page:${page}`;
globalThis.navigator?.locks?.request(pageLockName(PAGE), () => new Promise(() => {}));

/** @type {Promise<IDBDatabase | null> | undefined} */
let database;

/**
 * What was written in one room and is not acknowledged, kept in this browser, so that closing the page or a crash
 * loses none of it. Each post belongs to the page it was written in; when that is gone, another one adopts it.
 *
 * A browser that forbids IndexedDB keeps nothing. Where it has no locks, which is so in insecure contexts, two pages
 * may send the same post; the server says it once.
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

  /** Take over what was written here in pages that are gone, under whatever name. @returns {Promise<PendingPost[]>} in the order they were written */
  adopt() {
    return withExclusiveLock(async (isAlive) => {
      /** @type {(PendingPost & {room: string, page: string})[]} */
      const kept = (await request("readonly", (posts) => posts.getAll())) ?? [];
      const orphans = kept.filter((post) => post.room === this.room && !isAlive(post.page));
      await Promise.all(orphans.map((post) => this.keep(post)));
      return orphans.sort((a, b) => a.written - b.written);
    });
  }
}

/** One page at a time. @template T @param {(isAlive: (page: string) => boolean) => Promise<T>} act @returns {Promise<T>} */
async function withExclusiveLock(act) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return act((page) => page === PAGE);
  return locks.request("chatter:outbox", async () => {
    const { held = [] } = await locks.query();
    return act((page) => page === PAGE || held.some((lock) => lock.name === pageLockName(page)));
  });
}

/** @param {IDBTransactionMode} mode @param {(posts: IDBObjectStore) => IDBRequest} act @returns {Promise<any>} undefined where nothing can be kept */
async function request(mode, act) {
  try {
    const opened = await (database ??= open());
    return opened && (await promisify(act(opened.transaction(POSTS, mode).objectStore(POSTS))));
  } catch {
    return undefined; // Forbidden, full, or gone meanwhile: what is in memory has to do.
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
