/** Who has said something: an account, known by its id, or a guest, known by the name. */

/** @typedef {{id: number, handle: string}} Author an account; the handle is empty once that is deleted */
/** @typedef {{name: string, author?: Author}} By somebody, as messages name them */

/** @param {By} a @param {By} b */
export function sameAuthor(a, b) {
  if (a.author || b.author) return a.author?.id === b.author?.id;
  return a.name === b.name;
}

/** Returns how lists of names call somebody: a guest's name, an account's handle. @param {By} by */
export function labelOf({ name, author }) {
  return author?.handle ? `@${author.handle}` : name;
}

/** Reads the author of an entry of a room's log. @param {{name: string, id?: number, handle?: string}} by @returns {By} */
export function readBy({ name, id, handle = "" }) {
  return id === undefined ? { name } : { name, author: { id, handle } };
}
