import { computed, effect, signal, untracked } from "@preact/signals";
import { addToDraft } from "./drafts.js";

/** @typedef {import("./room/room.js").Room} Room */
/** @template {import("./outbox.js").Unsent} T @typedef {import("./outbox.js").Outbox<T>} Outbox */
/** @typedef {import("./room/operations.js").Operation} Operation */
/** @typedef {import("./room/posts.js").PendingPost} PendingPost */
/** @typedef {{posts: Outbox<PendingPost>, operations: Outbox<Operation>}} Outboxes */
/** @typedef {import("@preact/signals").ReadonlySignal<string>} Text */
/** @typedef {{waiting: number, failed: number}} Unsent how many posts of a room wait to be sent, and how many failed */

/**
 * VisitedRooms owns the rooms visited in this tab. They keep their messages, so that coming back shows them at once.
 *
 * The room on the screen is joined, and each of the others as long as posts or operations wait in it.
 */
export class VisitedRooms {
  /** By slug. @type {Map<string, Room>} */
  #rooms = new Map();
  /** By slug, what ends the effect that joins and leaves a room. @type {Map<string, () => void>} */
  #ends = new Map();
  /** The same rooms, for those who follow them. */
  all = signal(/** @type {Room[]} */ ([]));
  #name;
  #make;
  #isBarred;

  /**
   * @param {Text} slug of the room on the screen
   * @param {Text} name under which the person is present; empty for who only listens
   * @param {(slug: string) => Room} make
   * @param {(slug: string) => boolean} isBarred whether the person was removed from a room: it is not joined then
   */
  constructor(slug, name, make, isBarred = () => false) {
    this.#name = name;
    this.#make = make;
    this.#isBarred = isBarred;
    /** The room on the screen. */
    this.current = signal(make(slug.peek()));
    this.#add(this.current.peek());
    effect(() => {
      this.current.value = this.of(slug.value);
    });
  }

  /** What was not sent, by the slugs of the rooms where that is so. */
  unsent = computed(() => {
    /** @type {Map<string, Unsent>} */
    const unsent = new Map();
    for (const { slug, posts } of this.all.value) {
      const { length: failed } = posts.pending.value.filter(({ status }) => status === "failed");
      const { length: waiting } = posts.pending.value.filter(({ status, heard }) => status !== "failed" && !heard);
      if (failed || waiting) unsent.set(slug, { waiting, failed });
    }
    return unsent;
  });

  /** @param {string} slug */
  of(slug) {
    const known = this.#rooms.get(slug);
    if (known) return known;
    const room = this.#make(slug);
    this.#add(room);
    return room;
  }

  /** Leaves a room for good, with all that is held of it. @param {string} slug */
  forget(slug) {
    const room = this.#rooms.get(slug);
    if (!room) return;
    this.#ends.get(slug)?.();
    this.#rooms.delete(slug);
    this.all.value = this.all.peek().filter((other) => other !== room);
    room.leave();
    if (this.current.peek() === room) this.current.value = this.of(slug);
  }

  /** Sends what was written and done in pages that are gone, in all rooms. @param {Outboxes} outboxes */
  async adopt({ posts, operations }) {
    for (const [slug, adopted] of await operations.adopt()) this.of(slug).operations.adopt(adopted);
    for (const [slug, adopted] of await posts.adopt()) this.of(slug).posts.adopt(adopted);
  }

  /** Makes drafts of the posts that nobody can have heard: who signs in may say them under another name. */
  async makeDrafts() {
    await Promise.all(
      this.all.peek().map(({ slug, posts }) => {
        const unsent = posts.unsent();
        for (const { message, reply_to } of unsent) addToDraft(slug, message, reply_to);
        return Promise.all(unsent.map(({ id }) => posts.discard(id)));
      }),
    );
  }

  /** @param {Room} room */
  #add(room) {
    this.#rooms.set(room.slug, room);
    this.all.value = [...this.all.peek(), room];
    const end = effect(() => {
      const name = this.#name.value;
      const isUnsettled = room.posts.isUnsettled.value || room.operations.isUnsettled.value;
      const isHere = this.current.value === room;
      const isBarred = this.#isBarred(room.slug);
      untracked(() => {
        if (isBarred) room.leave();
        else if (isHere) room.join(name);
        else if (isUnsettled) room.joinToSend();
        else room.leave();
      });
    });
    this.#ends.set(room.slug, end);
  }
}
