/** So many characters of names fit beside the chip. */
const MOST_CHARACTERS = 600;

/**
 * Says who reacted, oneself first. Beyond the names that are known, and fit, there is a number.
 *
 * @param {{count: number, names: string[]}} reaction
 * @param {string} me
 * @param {boolean} isMine this person is among them, named or not
 */
export function sayNames({ count, names }, me, isMine) {
  const others = names.filter((name) => name !== me);
  const named = fitting(isMine ? ["you", ...others] : others);
  const more = count - named.length;
  if (more > 0) return `${named.join(", ")}${named.length ? " and " : ""}${more} ${more === 1 ? "other" : "others"}`;
  const last = named.at(-1) ?? "";
  return named.length > 1 ? `${named.slice(0, -1).join(", ")} and ${last}` : last;
}

/** Returns the first names, as many as fit. @param {string[]} names */
function fitting(names) {
  let length = 0;
  return names.filter((name) => (length += name.length + 2) <= MOST_CHARACTERS);
}
