import { useSignal } from "@preact/signals";
import { html } from "../../html.js";
import { GOVERNING } from "../../messages.js";
import { changesOf, RULES, wordsOf } from "../../room/rules.js";
import { Form } from "../account/form.js";
import { showInDialog } from "../account/show.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../room/rules.js").Rule} Rule */

const TITLE = "room-settings-title";

/** Shows the dialog with a room's settings: those that the person may change. @param {Room} room */
export function showRoomSettings(room) {
  showInDialog(
    { label: TITLE, className: "room-dialog of-room" },
    (close) => html`<${Settings} room=${room} close=${close} />`,
  );
}

/** @param {{room: Room, close: () => void}} props */
function Settings({ room, close }) {
  const { charter } = room;
  const view = /** @type {import("../../messages.js").RoomView} */ (useSignal(charter.view.peek()).peek());
  const isOwner = charter.may("set_rules");
  const rules = isOwner ? RULES.filter(({ kinds }) => !kinds || kinds.includes(view.kind)) : [];
  const send = async (/** @type {Record<string, string>} */ typed) => {
    const changes = changesOf(view, typed, rules);
    if (changes) await room.ask(GOVERNING.setRoom, changes);
    close();
  };
  const archive = async () => {
    await room.ask(GOVERNING.setRoom, { archived: !view.archived });
    close();
  };
  if (view.archived) return html`<${Archived} send=${archive} mayOpen=${isOwner} close=${close} />`;
  const actions = html`
    <button class="plain" type="button" onClick=${close}>Cancel</button>
    <button class="primary" type="submit">Save</button>
  `;
  return html`
    <h2 id=${TITLE}>Settings of the room</h2>
    <${Form} send=${send} actions=${actions}>
      ${(/** @type {any} */ field) => html`
        ${charter.may("set_title") && field({ name: "title", label: "Title", value: view.title, autocomplete: "off" })}
        ${
          charter.may("set_topic") &&
          field({
            name: "topic",
            label: "Topic",
            hint: "What the room is for.",
            value: view.topic,
            autocomplete: "off",
          })
        }
        <div class="rules">
          ${rules.map((rule) => html`<${RuleField} key=${rule.name} rule=${rule} value=${view.settings[rule.name]} />`)}
        </div>
      `}
    <//>
    ${isOwner && html`<${Archive} send=${archive} />`}
  `;
}

/** @param {{rule: Rule, value: string | number | boolean | undefined}} props */
function RuleField({ rule: { name, label, choices }, value }) {
  if (!choices) {
    return html`
      <label class="check"><input type="checkbox" name=${name} defaultChecked=${value === true} />${label}</label>
    `;
  }
  const isOther = !choices.some(([choice]) => String(choice) === String(value));
  return html`
    <div class="field">
      <label for=${`rule-${name}`}>${label}</label>
      <select id=${`rule-${name}`} name=${name}>
        ${isOther && html`<option value=${value} selected>${wordsOf({ choices }, value)}</option>`}
        ${choices.map(
          ([choice, words]) =>
            html`<option value=${choice} selected=${String(choice) === String(value)}>${words}</option>`,
        )}
      </select>
    </div>
  `;
}

/** @param {{send: () => Promise<void>}} props */
function Archive({ send }) {
  const actions = html`<button class="plain bad" type="submit">Archive this room</button>`;
  return html`
    <div class="archive">
      <p class="hint">An archived room is only read: nobody writes in it. You can open it again.</p>
      <${Form} send=${send} label="Archive" actions=${actions}>${() => null}<//>
    </div>
  `;
}

/** @param {{send: () => Promise<void>, mayOpen: boolean, close: () => void}} props */
function Archived({ send, mayOpen, close }) {
  const actions = html`
    <button class="plain" type="button" onClick=${close}>Close</button>
    ${mayOpen && html`<button class="primary" type="submit">Open it again</button>`}
  `;
  return html`
    <h2 id=${TITLE}>Settings of the room</h2>
    <p>This room is archived. It has to be opened again before anything of it can be changed.</p>
    <${Form} send=${send} actions=${actions}>${() => null}<//>
  `;
}
