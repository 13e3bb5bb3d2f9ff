import { html } from "../../html.js";
import { useRovingFocus } from "../list-hooks.js";

/**
 * @template Row
 * @typedef {object} SectionProps
 * @property {string} id
 * @property {string} title
 * @property {Row[]} rows
 * @property {(row: Row) => string} keyOf
 * @property {(row: Row, tabIndex: number) => any} draw draws a list item with one `data-stop` in it
 * @property {string} [current] the key of the row on the screen
 * @property {any} [tools] what stands beside the heading
 * @property {any} [children] what stands below the rows
 */

/** Draws one part of the sidebar: a heading and rows, which are one stop of the Tab key. @param {SectionProps<any>} props */
export function Section({ id, title, rows, keyOf, draw, current, tools, children }) {
  const { tabIndexOf, ...handlers } = useRovingFocus(rows.map(keyOf), current);
  return html`
    <section class="section" aria-labelledby=${id}>
      <div class="section-head">
        <h2 id=${id}>${title}</h2>
        ${tools}
      </div>
      <ul class="rooms" ...${handlers}>
        ${rows.map((row) => draw(row, tabIndexOf(keyOf(row))))}
      </ul>
      ${children}
    </section>
  `;
}
