import { html } from "../html.js";

/**
 * Draws who is typing. It is no live region, as it changes too often to be read out.
 *
 * @param {{room: import("../room/room.js").Room}} props
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
  const list = names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0];
  return `${list} ${names.length > 1 ? "are" : "is"} typing…`;
}
