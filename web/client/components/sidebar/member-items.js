import { html } from "../../html.js";
import { levelOf, MUTES } from "../../memberships/levels.js";
import { unreadOf } from "../../memberships/memberships.js";
import { setLevel } from "../../memberships/my-levels.js";
import { markRead } from "../../memberships/read-marks.js";
import { readAgain } from "../../memberships/visit.js";
import { moment } from "../../time.js";
import { showToast } from "../toast.js";
import { Check, Item } from "./room-menu.js";

/** @typedef {import("../../messages.js").MyRoom} MyRoom */
/** @typedef {import("../../messages.js").Level} Level */
/** @typedef {import("./room-menu.js").Act} Act */

/** What can be noticed of a room, and how that is said. @type {[Level, string][]} */
const LEVELS = [
  ["everything", "Notify about everything"],
  ["mentions", "Notify about mentions"],
];

/** Draws what can be done with one's own room. @param {{room: MyRoom, act: Act}} props */
export function MemberItems({ room, act }) {
  const level = levelOf(room);
  const until = level === room.level ? room.level_until : null;
  const choose = (/** @type {Level} */ level, /** @type {string | null} */ until = null) =>
    act(() => tell(setLevel(room.slug, { level, until })));
  return html`
    ${unreadOf(room) > 0 && html`<${Item} words="Mark as read" onClick=${act(() => readAll(room.slug))} />`}
    <div role="group" aria-label="What to notify about">
      ${LEVELS.map(
        ([each, words]) => html`
          <${Radio} words=${words} isOn=${each === level && until === null} onClick=${choose(each)} />
        `,
      )}
      ${MUTES.map(
        ([words, end]) => html`
          <${Radio} words=${`Mute ${words}`} isOn=${false} onClick=${() => choose("nothing", end(new Date()).toISOString())()} />
        `,
      )}
      <${Radio} words="Mute for ever" isOn=${level === "nothing" && until === null} onClick=${choose("nothing")} />
      ${until !== null && html`<${Radio} words=${`Muted until ${moment(until)}`} isOn=${true} onClick=${act(() => {})} />`}
    </div>
    <${Check} words="Hide" isOn=${room.hidden} onClick=${act(() => tell(setLevel(room.slug, { hidden: !room.hidden })))} />
  `;
}

/** @param {{words: string, isOn: boolean, onClick: () => void}} props */
function Radio({ words, isOn, onClick }) {
  return html`
    <button type="button" role="menuitemradio" aria-checked=${isOn} onClick=${onClick}>${words}</button>
  `;
}

/** @param {string} slug */
function readAll(slug) {
  readAgain(slug);
  markRead(slug);
}

/** Says why something did not work. @param {Promise<string>} asked */
async function tell(asked) {
  const why = await asked;
  if (why) showToast(`That did not work: ${why}.`);
}
