import { ask } from "../../account/api.js";
import { html } from "../../html.js";
import { Form } from "../account/form.js";
import { showInDialog } from "../account/show.js";
import { goTo } from "../go-to.js";

const TITLE = "create-room-title";

/** Shows the dialog that creates a private room. */
export function showCreateRoom() {
  showInDialog({ label: TITLE }, (close) => html`<${CreateRoom} close=${close} />`);
}

/** @param {{close: () => void}} props */
function CreateRoom({ close }) {
  const send = async (/** @type {Record<string, string>} */ { title }) => {
    const { slug } = await ask("POST", "/api/rooms", { kind: "private", title });
    close();
    goTo(slug);
  };
  const actions = html`
    <button class="plain" type="button" onClick=${close}>Cancel</button>
    <button class="primary" type="submit">Create</button>
  `;
  return html`
    <h2 id=${TITLE}>A private room</h2>
    <${Form} send=${send} actions=${actions}>
      ${(/** @type {any} */ field) =>
        field({
          name: "title",
          label: "Title",
          hint: "Only its members see it.",
          autocomplete: "off",
          autofocus: true,
        })}
    <//>
  `;
}
