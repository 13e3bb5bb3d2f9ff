import { signal } from "@preact/signals";
import { Presence } from "phoenix";
import { PRESENCE_COUNT, PRESENCE_STATE } from "../messages.js";

/** @typedef {import("phoenix").Channel} Channel */
/** @typedef {import("../messages.js").Person} Person */

/** Hundreds come at once after a restart of the server; they are counted and sorted once. */
const COUNT_MS = 50;
const alphabet = new Intl.Collator(undefined, { numeric: true });

/** Who is in a room. Of a crowd the server lists some, and says how many there are. */
export class People {
  listed = signal(/** @type {Person[]} */ ([]));
  /** How many are here, listed or not. */
  number = signal(0);
  /** @type {Presence | null} what is told of the channel that was left is not ours any more */
  #presence = null;

  /** @param {Channel} channel */
  follow(channel) {
    const presence = new Presence(channel);
    const tell = soon(() => presence === this.#presence && this.#tell(presence, crowd));
    let crowd = 0; // 0 while everybody is listed
    const count = (/** @type {number} */ people) => {
      crowd = people > presence.list().length ? people : 0;
      tell();
    };
    this.#presence = presence;
    presence.onSync(() => count(crowd));
    channel.on(PRESENCE_STATE, () => count(0));
    channel.on(PRESENCE_COUNT, ({ people }) => count(people));
  }

  nobody() {
    this.#presence = null;
    this.listed.value = [];
    this.number.value = 0;
  }

  /** @param {Presence} presence @param {number} crowd */
  #tell(presence, crowd) {
    const here = presence.list((name, { metas }) => ({ name, connections: metas.length }));
    this.listed.value = here.sort((a, b) => alphabet.compare(a.name, b.name));
    this.number.value = Math.max(crowd, here.length);
  }
}

/** However often it is called, `act` comes once, a moment later. @param {() => void} act */
function soon(act) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, COUNT_MS);
  };
}
