import { useSignal } from "@preact/signals";
import { html } from "../../html.js";
import { isSignedIn } from "../../me.js";
import { kindOf, titleOf } from "../../memberships/titles.js";
import { choices } from "../../rooms/choices.js";
import { listRooms } from "../../rooms/list.js";
import { isHidden, SECTIONS } from "../../rooms/mine.js";
import { goTo } from "../go-to.js";
import { partForMembers } from "../for-members.js";
import { useStillOrder } from "../list-hooks.js";
import { RoomRow } from "./room-row.js";
import { Section } from "./section.js";

/** @typedef {import("../../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("../../visited-rooms.js").Unsent} Unsent */

const CreateButton = partForMembers("CreateButton");
const HiddenRooms = partForMembers("HiddenRooms");

/** @param {RoomSummary} summary */
const nameOf = ({ name }) => name;

/**
 * Draws the rooms: those of somebody with an account by their kinds. Their order stands still while somebody points at
 * them.
 *
 * @param {{here: string, unsent: import("@preact/signals").ReadonlySignal<Map<string, Unsent>>}} props
 */
export function RoomsSection({ here, unsent }) {
  const filter = useSignal("");
  const { ordered, handlers } = useStillOrder(listRooms(here), nameOf, choices.value);
  // Asked anew for a key, which may come before the frame that draws what was typed.
  const find = () => ordered.filter(({ name }) => isFound(name, filter.value.trim().toLowerCase()));
  const found = find();
  const isAway = (/** @type {RoomSummary} */ room) => isHidden(room) && room.name !== here && !filter.value.trim();
  const draw = (/** @type {RoomSummary} */ summary, /** @type {number} */ tabIndex) =>
    html`
      <${RoomRow}
        key=${summary.name}
        summary=${summary}
        current=${summary.name === here}
        unsent=${unsent.value.get(summary.name)}
        tabIndex=${tabIndex}
      />
    `;
  const tools = html`<${Filter} filter=${filter} find=${find} />${isSignedIn.value && html`<${CreateButton} />`}`;
  return html`
    <div class="sections" ...${handlers}>
      ${SECTIONS.map(({ kind, title }) => {
        const all = found.filter(({ name }) => kindOf(name) === kind);
        const isMain = kind === "public";
        if (!isMain && !all.length) return null;
        const rows = all.filter((room) => !isAway(room));
        const away = all.filter(isAway);
        const props = { id: `${isMain ? "rooms" : kind}-title`, title, rows, keyOf: nameOf, draw, current: here };
        return html`
          <${Section} key=${kind} ...${props} tools=${isMain && tools}>
            ${isMain && html`<p class="no-room" role="status">${found.length ? "" : "No room here has such a name."}</p>`}
            ${away.length > 0 && html`<${HiddenRooms} title=${title} rooms=${away} unsent=${unsent.value} draw=${draw} />`}
          <//>
        `;
      })}
    </div>
  `;
}

/** @param {string} name @param {string} wanted */
function isFound(name, wanted) {
  return (kindOf(name) === "public" && name.includes(wanted)) || titleOf(name).toLowerCase().includes(wanted);
}

/** @param {{filter: import("@preact/signals").Signal<string>, find: () => RoomSummary[]}} props */
function Filter({ filter, find }) {
  const onKeyDown = (/** @type {any} */ event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      event.target.closest(".sections").querySelector("[data-stop]")?.focus();
    }
    if (event.key === "Escape" && filter.value) {
      event.stopPropagation(); // closes nothing else
      filter.value = "";
    }
    const [first] = filter.value.trim() ? find() : [];
    if (event.key === "Enter" && first) {
      filter.value = "";
      goTo(first.name);
    }
  };
  return html`
    <input
      class="filter"
      type="text"
      aria-label="Filter rooms"
      placeholder="Filter"
      autocomplete="off"
      autocapitalize="none"
      spellcheck=${false}
      enterkeyhint="go"
      value=${filter.value}
      onInput=${(/** @type {any} */ event) => (filter.value = event.target.value)}
      onKeyDown=${onKeyDown}
    />
  `;
}
