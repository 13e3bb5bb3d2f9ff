import { signal } from "@preact/signals";
import { ask } from "../account/api.js";
import { role } from "../me.js";
import { learnTitles } from "../memberships/titles.js";

/** @typedef {import("../authors.js").Author} Author */
/** @typedef {import("../messages.js").RoomNote} RoomNote */
/** @typedef {import("../messages.js").RoomView} RoomView */
/** @typedef {import("../messages.js").Power} Power */
/** @typedef {import("../messages.js").MemberChange} MemberChange */
/** @typedef {import("../messages.js").RoomMember} RoomMember */
/** @typedef {import("../messages.js").Companion} Companion */
/** @typedef {(method: "GET", path: string) => Promise<any>} Ask */

/** The most members that are read: as many as a private room may have. */
const MOST_READ = 2000;
const PAGE = 500;
/** What everybody may do in a room that is nobody's. There is no more to do there, but for who moderates the server. @type {Power[]} */
const PLAIN = ["read", "post", "pin"];
/** The roles on the server with which one deletes what others have said in any public room. */
const MODERATORS = ["moderator", "admin"];
/** Changes after which somebody is in the room, and after which they are not. */
/** @type {MemberChange[]} */
const COMES = ["joined", "added"];
/** @type {MemberChange[]} */
const GOES = ["left", "removed", "banned"];

/**
 * Charter is what a room is that is somebody's: its view for this person, what they may do there, and who is in it.
 *
 * A join brings the view, and the log changes it. What the person may do is asked of the server, whose table it is; so
 * are the members, once somebody wants to see them.
 */
export class Charter {
  /** Null in a plain room. */
  view = signal(/** @type {RoomView | null} */ (null));
  /** By account, in the order of the server; null until they are read. */
  members = signal(/** @type {Map<number, RoomMember> | null} */ (null));
  /** For who may lift a ban. */
  banned = signal(/** @type {Companion[]} */ ([]));
  /** When this person may say something again, in milliseconds: slow mode. */
  slowUntil = signal(0);
  /** Null until the server has said. */
  #powers = signal(/** @type {Set<Power> | null} */ (null));
  /** The view shows the log up to here. */
  #asOf = 0;
  #slug;
  #author;
  #ask;
  #serverRole;

  /**
   * @param {string} slug
   * @param {() => Author | undefined} author returns this person's account
   * @param {Ask} asks asks the server's endpoints
   * @param {{readonly value: string}} serverRole this person's on the server
   */
  constructor(slug, author, asks = ask, serverRole = role) {
    this.#slug = slug;
    this.#author = author;
    this.#ask = asks;
    this.#serverRole = serverRole;
  }

  // ---- Questions, which read signals

  /** Whether this person may do something here, as far as the page knows. @param {Power} power */
  may(power) {
    if (!this.view.value) return PLAIN.includes(power) || (power === "operate_others" && this.#moderatesServer);
    return this.#powers.value?.has(power) ?? this.#probably(power);
  }

  /** Whether this person is a member. */
  get isMember() {
    return Boolean(this.view.value?.role);
  }

  /** Whether this person is more than a member here. */
  get isModerator() {
    return this.may("operate_others");
  }

  /** Whether the room is only read. */
  get isArchived() {
    return Boolean(this.view.value?.archived);
  }

  /** Whether this person reads only what was said since they came. With the first three entries the room is founded: nothing was. */
  get hidesPast() {
    const { settings, joined_seq: joined = 0 } = this.view.value ?? {};
    return settings?.history === "since_join" && joined > 3;
  }

  /** Whether this person is muted: they do nothing to what others have said. */
  get isMuted() {
    return Date.parse(this.view.value?.muted_until ?? "") > Date.now();
  }

  /** Whether this person may delete what somebody has said, who is weaker as far as the page knows. @param {{author?: Author}} message */
  mayModerate({ author }) {
    const role = author && this.members.value?.get(author.id)?.role;
    return this.isModerator && !this.isMuted && (!role || this.rank > RANKS[role]);
  }

  /** How much this person counts: nobody acts on an equal or a stronger one. */
  get rank() {
    if (this.may("set_role") && this.view.value?.role !== "owner") return RANKS.admin;
    return this.may("set_rules") ? RANKS.owner : this.may("remove") ? RANKS.moderator : RANKS.member;
  }

  // ---- Events

  /** @param {{seq: number, room?: RoomView}} answer of a join */
  joined({ seq, room }) {
    this.#asOf = seq;
    this.#show(room ?? null);
    if (!room) this.#powers.value = null;
    else void this.readPowers();
    if (this.members.peek()) void this.readMembers();
  }

  /** Takes an entry of the log over that is about the room or its people. @param {RoomNote} event */
  hear(event) {
    if (event.seq <= this.#asOf) return;
    this.#asOf = event.seq;
    const view = this.view.peek();
    if (event.kind === "room" && view) this.#change(view, event.set ?? {});
    if (event.kind === "member" && view) this.#changePeople(view, event);
    if (this.#isShutOut(event)) return; // there is no answer any more
    if (!view || this.#isAboutMe(event) || event.kind === "room") void this.readPowers();
  }

  /** An entry that was heard is none: what it has changed is asked anew. */
  distrust() {
    if (!this.view.peek()) return;
    void this.readPowers();
    if (this.members.peek()) void this.readMembers();
  }

  /**
   * Notes that this person has said something, here or on another device: in slow mode the next message has to wait.
   *
   * @param {number} [at] when, by the server's clock: where this one is behind it is taken for just now
   */
  said(at = Date.now()) {
    if (!this.#pauseMs || this.isModerator) return;
    this.slowUntil.value = Math.max(this.slowUntil.peek(), Math.min(at, Date.now()) + this.#pauseMs);
  }

  /** @param {number} ms until something may be said again */
  slowed(ms) {
    this.slowUntil.value = Date.now() + ms;
  }

  // ---- Reading

  /** Asks what this person may do, and what the room is. Without an answer it stays as it was: the next join asks again. */
  async readPowers() {
    const asOf = this.#asOf;
    try {
      const { powers, slug: _, ...view } = await this.#ask("GET", this.#path);
      this.#powers.value = new Set(powers);
      if (asOf === this.#asOf && "settings" in view) this.#show(view);
    } catch {
      // Offline, or no more in the room.
    }
  }

  /** Reads who is in the room. Rejects with a `Refusal`. */
  async readMembers() {
    /** @type {Map<number, RoomMember>} */
    const members = new Map();
    /** @type {Companion[]} */
    const banned = [];
    for (let more = true, after = 0; more && members.size < MOST_READ;) {
      const page = await this.#ask("GET", `${this.#path}/members?limit=${PAGE}&after=${after}`);
      for (const member of page.members) members.set(member.id, member);
      banned.push(...(page.banned ?? []));
      after = page.next ?? 0;
      more = page.more;
    }
    this.banned.value = banned;
    this.members.value = members;
  }

  // ---- Internal

  /** Guesses what this person may do until the server has said. @param {Power} power */
  #probably(power) {
    if (power === "operate_others") return RANKS[this.view.value?.role ?? "member"] > RANKS.member;
    return power === "read" || power === "post";
  }

  get #moderatesServer() {
    return MODERATORS.includes(this.#serverRole.value);
  }

  get #path() {
    return `/api/rooms/${this.#slug}`;
  }

  /** For how long slow mode keeps somebody from the next message. */
  get #pauseMs() {
    return 1000 * Number(this.view.peek()?.settings.slow_mode ?? 0);
  }

  /** @param {RoomView | null} view */
  #show(view) {
    this.view.value = view;
    this.slowUntil.value = Math.min(this.slowUntil.peek(), Date.now() + this.#pauseMs);
    if (view) learnTitles([{ slug: this.#slug, title: view.title }]);
  }

  /** @param {RoomView} view @param {NonNullable<RoomNote["set"]>} set */
  #change(view, { settings, kind: _, ...others }) {
    this.#show({ ...view, ...others, settings: { ...view.settings, ...settings } });
  }

  /** @param {RoomView} view @param {RoomNote} event */
  #changePeople(view, { seq, change, members = [], role, until }) {
    const known = this.members.peek();
    const next = new Map(known);
    for (const { id, handle, name } of members) {
      const was = next.get(id);
      if (isOf(GOES, change)) next.delete(id);
      else if (isOf(COMES, change)) next.set(id, { id, handle, name, role: role ?? "member", joined_seq: seq });
      else if (was && change === "role" && role) next.set(id, { ...was, role });
      else if (was) next.set(id, { ...was, muted_until: change === "muted" ? until : undefined });
    }
    this.#changeBanned(change, members);
    if (known) this.members.value = next;
    const step = isOf(COMES, change) ? members.length : isOf(GOES, change) ? -members.length : 0;
    this.view.value = { ...view, members: known ? next.size : view.members + step };
    if (members.some(({ id }) => id === this.#author()?.id)) this.#changeMine({ change, role, until });
  }

  /** @param {MemberChange | undefined} change @param {Companion[]} members */
  #changeBanned(change, members) {
    const ids = members.map(({ id }) => id);
    if (change !== "banned" && change !== "unbanned") return;
    const others = this.banned.peek().filter(({ id }) => !ids.includes(id));
    this.banned.value = change === "banned" ? [...others, ...members] : others;
  }

  /** @param {{change?: MemberChange, role?: RoomMember["role"], until?: string}} event */
  #changeMine({ change, role, until }) {
    const view = /** @type {RoomView} */ (this.view.peek());
    if (isOf(GOES, change)) this.view.value = { ...view, role: null };
    else if (isOf(COMES, change)) this.view.value = { ...view, role: role ?? "member" };
    else if (change === "role" && role) this.view.value = { ...view, role };
    else this.view.value = { ...view, muted_until: change === "muted" ? until : undefined };
  }

  /** Whether an entry is the last that this person hears. @param {RoomNote} event */
  #isShutOut(event) {
    const isGone = isOf(GOES, event.change) && this.#isAboutMe(event);
    return isGone && (event.change === "banned" || this.view.peek()?.kind !== "public");
  }

  /** @param {RoomNote} event */
  #isAboutMe({ members = [] }) {
    const id = this.#author()?.id;
    return members.some((each) => each.id === id);
  }
}

/** @param {MemberChange[]} changes @param {MemberChange | undefined} change */
function isOf(changes, change) {
  return change !== undefined && changes.includes(change);
}

/** How much somebody counts in a room; moderators of the server count as owners. */
export const RANKS = { member: 1, moderator: 2, owner: 3, admin: 4 };
