/**
 * Says who reacted, oneself first. Beyond the names that the server tells there is a number.
 *
 * @param {{count: number, names: string[]}} reaction
 * @param {string} me
 * @param {boolean} isMine this person is among them, named or not
 */
export function sayNames({ count, names }, me, isMine) {
  const others = names.filter((name) => name !== me);
  const named = isMine ? ["you", ...others] : others;
  const more = count - named.length;
  if (more > 0) return `${named.join(", ")}${named.length ? " and " : ""}${more} ${more === 1 ? "other" : "others"}`;
  const last = named.at(-1) ?? "";
  return named.length > 1 ? `${named.slice(0, -1).join(", ")} and ${last}` : last;
}
