import { newId } from "./browser/id.js";
import { mayKeep } from "./browser/owner.js";

/** @typedef {{id: string, written: number}} Unsent a post or an operation */
/** @template {Unsent} T @typedef {T & {room: string, page: string}} Kept */

/** The one store of each database. */
const STORE = "posts";
/** The id of this page among all that this browser has open. It holds a lock, so that the others know it is open. */
const PAGE = newId();
const pageLockName = (/** @type {string} */ page) => `chatter:page:${page}`;
globalThis.navigator?.locks?.request(pageLockName(PAGE), () => new Promise(() => {})).catch(() => {}); // forbidden

/**
 * Outbox keeps what is not acknowledged in all rooms, in a database of IndexedDB: posts, or operations on messages.
 *
 * Closing the page or a crash of the browser loses none of it. Each entry belongs to the page it was made in; when that
 * is gone, another one adopts it. Operations have a database of their own: a page of an earlier version, which is open
 * beside this one, would take them for posts.
 *
 * A browser that forbids IndexedDB keeps nothing. Without the Web Locks API, so in insecure contexts, two pages may
 * send the same entry; the server takes it once.
 *
 * @template {Unsent} T
 */
export class Outbox {
  /** @type {Promise<IDBDatabase> | undefined} */
  #database;
  #name;

  /** @param {string} name of the database */
  constructor(name) {
    this.#name = name;
  }

  /** Returns the part of one room. @param {string} room */
  of(room) {
    return {
      keep: (/** @type {T} */ entry) => this.#keep({ ...entry, room, page: PAGE }),
      forget: (/** @type {string} */ id) => this.#request("readwrite", (store) => store.delete(id)),
    };
  }

  /**
   * Takes over the entries of pages that are gone, under all of their authors' names.
   *
   * @returns {Promise<Map<string, T[]>>} by room, in the order they were written
   */
  adopt() {
    return withExclusiveLock(async (isOpen) => {
      /** @type {Kept<T>[]} */
      const kept = (await this.#request("readonly", (store) => store.getAll())) ?? [];
      const orphans = kept.filter(({ page }) => !isOpen(page)).sort((a, b) => a.written - b.written);
      await Promise.all(orphans.map((entry) => this.#keep({ ...entry, page: PAGE })));
      /** @type {Map<string, T[]>} */
      const byRoom = new Map();
      for (const entry of orphans) byRoom.set(entry.room, [...(byRoom.get(entry.room) ?? []), entry]);
      return byRoom;
    });
  }

  /** Forgets all entries of a room, also those of other pages. @param {string} room */
  async forgetRoom(room) {
    /** @type {Kept<T>[]} */
    const kept = (await this.#request("readonly", (store) => store.getAll())) ?? [];
    const ids = kept.filter((entry) => entry.room === room).map(({ id }) => id);
    await Promise.all(ids.map((id) => this.#request("readwrite", (store) => store.delete(id))));
  }

  // ---- Internal

  /** @param {Kept<T>} entry */
  #keep(entry) {
    return this.#request("readwrite", (store) => store.put(entry));
  }

  /**
   * Makes one request to the object store. Returns undefined where the browser keeps nothing.
   *
   * The browser may close the database under us, as it does when the person clears its data. Then it is opened again.
   *
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} act
   * @returns {Promise<any>}
   */
  async #request(mode, act) {
    return (await this.#tryRequest(mode, act)) ?? (this.#database ? undefined : this.#tryRequest(mode, act));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} act
   * @returns {Promise<any>}
   */
  async #tryRequest(mode, act) {
    try {
      if (!mayKeep()) return undefined;
      const opened = await (this.#database ??= open(this.#name));
      return await promisify(act(opened.transaction(STORE, mode).objectStore(STORE)));
    } catch {
      this.#database = undefined; // closed, forbidden or full: what is in memory may be all there is
      return undefined;
    }
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

/** @param {string} name @returns {Promise<IDBDatabase>} */
function open(name) {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
  return promisify(opening).then((database) => {
    database.onversionchange = () => database.close(); // another tab deletes it, as the person was signed out
    return database;
  });
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function promisify(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
