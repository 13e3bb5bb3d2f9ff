import { sessionRenewed } from "../../account/session.js";
import { html } from "../../html.js";
import { List, useList } from "./list.js";
import { Session } from "./session.js";

/** @typedef {import("./session.js").SessionInfo} SessionInfo */

/** Draws where the person is signed in. */
export function Sessions() {
  const { items, problem, change } = useList("/api/sessions", ({ sessions }) => sessions);
  const endOthers = async () => (await change("DELETE", "/api/sessions")) && sessionRenewed();
  const others = items.value?.filter(({ current }) => !current).length ?? 0;
  return html`
    <h3>Where you are signed in</h3>
    <${List} label="Where you are signed in" items=${items.value} problem=${problem} empty="Nowhere.">
      ${(/** @type {SessionInfo} */ session) => html`<${Session} session=${session} change=${change} />`}
    <//>
    ${
      others > 0 &&
      html`
        <div class="actions">
          <button class="plain bad" type="button" onClick=${endOthers}>
            Sign out everywhere else
          </button>
        </div>
      `
    }
  `;
}
