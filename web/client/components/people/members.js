/** Members in the order in which they are shown, together with those who are only present. */

/** @typedef {import("../../messages.js").Companion} Companion */
/** @typedef {import("../../messages.js").RoomMember} RoomMember */
/** @typedef {import("../../messages.js").Person} Person */
/** @typedef {{key: string, person: Companion & Partial<RoomMember>, isPresent: boolean}} Shown a guest's id is 0 */

const RANKS = ["owner", "moderator", "member"];
/** @type {Record<string, string>} */
const TITLES = { owner: "Owners", moderator: "Moderators", member: "Members", "": "Also here" };

/**
 * @param {Map<number, RoomMember> | null} members
 * @param {Person[]} present
 * @returns {Shown[]} the strongest first, of each role who is present first
 */
export function orderMembers(members, present) {
  const here = new Set(present.flatMap(({ author }) => author?.id ?? []));
  const shown = [...(members?.values() ?? [])].map((person) => ({
    key: String(person.id),
    person,
    isPresent: here.has(person.id),
  }));
  const ranked = shown.toSorted(
    (a, b) =>
      RANKS.indexOf(a.person.role) - RANKS.indexOf(b.person.role) ||
      Number(b.isPresent) - Number(a.isPresent) ||
      a.person.name.localeCompare(b.person.name),
  );
  const others = present.filter(({ author }) => !author || !members?.has(author.id));
  return [...ranked, ...(members ? others : []).map(visitor)];
}

/** @param {Shown[]} shown @param {string} query */
export function findMembers(shown, query) {
  const wanted = query.trim().toLowerCase().replace(/^@/, "");
  if (!wanted) return shown;
  return shown.filter(({ person: { name, handle } }) => name.toLowerCase().includes(wanted) || handle.includes(wanted));
}

/** Puts people of one role under a heading. @param {Shown[]} shown */
export function sectionsOf(shown) {
  const roles = [...RANKS, ""];
  const of = (/** @type {string} */ role) => shown.filter(({ person }) => (person.role ?? "") === role);
  return roles.map((role) => ({ title: TITLES[role] ?? "", people: of(role) })).filter(({ people }) => people.length);
}

/** @param {Person} person @returns {Shown} */
function visitor({ name, author }) {
  const { id = 0, handle = "" } = author ?? {};
  return { key: id ? String(id) : `guest ${name}`, person: { id, handle, name }, isPresent: true };
}
