import { html } from "../../html.js";

/**
 * Draws who is typing. It is no live region, as it changes too often to be read out.
 *
 * @param {{room: import("../../room/room.js").Room}} props
 */
export function TypingLine({ room }) {
  const names = room.typing.names.value;
  return html`
    <p class="typing">
      ${names.length > 0 && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>${sentence(names)}`}
    </p>
  `;
}

/** @param {string[]} names */
function sentence(names) {
  if (names.length > 3) return "Several people are typing…";
  // A name that is written from right to left must not turn the words around it.
  const isolated = names.map((name) => html`<bdi>${name}</bdi>`);
  const list = isolated.flatMap((name, index) => [separator(index, names.length), name]);
  return html`<span>${list} ${names.length > 1 ? "are" : "is"} typing…</span>`;
}

/** @param {number} index @param {number} length */
function separator(index, length) {
  if (index === 0) return "";
  return index === length - 1 ? " and " : ", ";
}
