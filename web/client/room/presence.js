import { signal } from "@preact/signals";
import { Presence } from "phoenix";
import { PRESENCE_COUNT, PRESENCE_STATE } from "../messages.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Person} Person */

/** Hundreds of diffs come at once after a restart of the server. This delay looks immediate. */
const UPDATE_MS = 50;
const alphabet = new Intl.Collator(undefined, { numeric: true });

/** People lists who is in a room. Of a crowd the server lists some and counts all. */
export class People {
  listed = signal(/** @type {Person[]} */ ([]));
  /** How many are here, listed or not. */
  total = signal(0);
  /** @type {Presence | null} of the present channel; events of an earlier one are ignored */
  #presence = null;

  /** @param {Channel} channel */
  follow(channel) {
    const presence = new Presence(channel);
    const update = coalesce(() => presence === this.#presence && this.#update(presence, crowd));
    let crowd = 0; // 0 while everybody is listed
    const count = (/** @type {number} */ people) => {
      crowd = people > presence.list().length ? people : 0;
      update();
    };
    this.#presence = presence;
    presence.onSync(() => count(crowd));
    channel.on(PRESENCE_STATE, () => count(0));
    channel.on(PRESENCE_COUNT, ({ people }) => count(people));
  }

  clear() {
    this.#presence = null;
    this.listed.value = [];
    this.total.value = 0;
  }

  /** @param {Presence} presence @param {number} crowd */
  #update(presence, crowd) {
    const here = presence.list(personOf);
    this.listed.value = here.sort((a, b) => alphabet.compare(a.name, b.name));
    this.total.value = Math.max(crowd, here.length);
  }
}

/**
 * Reads a presence. That of an account has the name in each meta, as its key is the handle.
 *
 * @param {string} key
 * @param {{metas: {id?: number, name?: string}[]}} presence
 * @returns {Person}
 */
function personOf(key, { metas }) {
  const { id, name = key } = metas[0] ?? {};
  if (id === undefined) return { name: key, connections: metas.length };
  return { name, author: { id, handle: key.slice(1) }, connections: metas.length };
}

/** Joins all calls within `UPDATE_MS` into one call of `act` at its end. @param {() => void} act */
function coalesce(act) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, UPDATE_MS);
  };
}
