import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { deviceOf } from "../../account/devices.js";
import { EndButton, List, useList } from "./list.js";

/**
 * @typedef {object} Session
 * @property {number} id
 * @property {string} [label]
 * @property {string} [agent]
 * @property {string} created_at
 * @property {string} used_at exact to an hour
 * @property {boolean} [current] it is this browser's
 */

/** Draws where the person is signed in. */
export function Sessions() {
  const { items, problem, change } = useList("/api/sessions", ({ sessions }) => sessions);
  const others = items.value?.filter(({ current }) => !current).length ?? 0;
  return html`
    <h3>Where you are signed in</h3>
    <${List} label="Where you are signed in" items=${items.value} problem=${problem.value} empty="Nowhere.">
      ${(/** @type {Session} */ session) => html`<${Row} session=${session} change=${change} />`}
    <//>
    ${
      others > 0 &&
      html`
        <div class="actions">
          <button class="plain bad" type="button" onClick=${() => change("DELETE", "/api/sessions")}>
            Sign out everywhere else
          </button>
        </div>
      `
    }
  `;
}

/** @param {{session: Session, change: ReturnType<typeof useList>["change"]}} props */
function Row({ session: { id, label, agent = "", current, used_at }, change }) {
  const device = label || deviceOf(agent);
  return html`
    <span class="what">${device}${current && html` <span class="you">this browser</span>`}</span>
    <span class="when">last used <time datetime=${used_at}>${fullDate(used_at)}</time></span>
    ${!current && html`<${EndButton} words="Sign out" of=${device} act=${() => change("DELETE", `/api/sessions/${id}`)} />`}
  `;
}
