import { useSignal } from "@preact/signals";
import { ask } from "../../account/api.js";
import { problemOf } from "../../account/refusals.js";
import { html } from "../../html.js";
import { SLUG } from "../../messages.js";
import { slugify } from "../../text/names.js";
import { Form } from "../account/form.js";
import { showInDialog } from "../account/show.js";
import { goTo } from "../go-to.js";
import { peopleKnown } from "./known.js";
import { PeopleField, usePeople } from "./people-field.js";

/** @typedef {"public" | "private" | "group"} Kind */

const TITLE = "create-room-title";

/** The kinds of rooms that somebody can make, and what each is for. @type {[Kind, string, string][]} */
const KINDS = [
  ["private", "Private", "Only members find it and read it. Owners and moderators look after it."],
  ["public", "Public", "Everybody who may use this server finds it, reads it and writes in it."],
  ["group", "Group", "A conversation of up to 20 people who are all equal. It needs no title."],
];

/** Shows the dialog that creates a room. */
export function showCreateRoom() {
  showInDialog({ label: TITLE, className: "room-dialog" }, (close) => html`<${CreateRoom} close=${close} />`);
}

/** @param {{close: () => void}} props */
function CreateRoom({ close }) {
  const kind = useSignal(/** @type {Kind} */ ("private"));
  const title = useSignal("");
  const people = usePeople();
  const send = async (/** @type {Record<string, string>} */ typed) => {
    const members = people.read();
    if (!members) return;
    try {
      const body = { kind: kind.peek(), title: typed.title?.trim() ?? "", ...(members.length && { members }) };
      const { slug } = await ask("POST", "/api/rooms", body);
      close();
      goTo(slug);
    } catch (refusal) {
      const { field, words } = problemOf(/** @type {import("../../account/api.js").Refusal} */ (refusal));
      if (field !== "handles" && field !== "members") throw refusal;
      people.problem.value = words;
    }
  };
  const actions = html`
    <button class="plain" type="button" onClick=${close}>Cancel</button>
    <button class="primary" type="submit">Create</button>
  `;
  const onInput = (/** @type {any} */ { target }) => {
    if (target.name === "title") title.value = target.value;
    if (target.name === "kind") kind.value = target.value;
  };
  const hint =
    kind.value === "public"
      ? addressOf(title.value)
      : kind.value === "group"
        ? "May be empty."
        : "Only its members see it.";
  return html`
    <h2 id=${TITLE}>Create a room</h2>
    <div onInput=${onInput}>
      <${Form} send=${send} actions=${actions}>
        ${(/** @type {any} */ field) => html`
          <fieldset class="kinds">
            <legend>What kind of room</legend>
            ${KINDS.map(
              ([each, name, about]) => html`
                <div>
                  <label class="check">
                    <input
                      type="radio"
                      name="kind"
                      value=${each}
                      defaultChecked=${each === "private"}
                      aria-describedby=${`about-${each}`}
                    />
                    ${name}
                  </label>
                  <small id=${`about-${each}`}>${about}</small>
                </div>
              `,
            )}
          </fieldset>
          ${field({ name: "title", label: "Title", hint, autocomplete: "off", autofocus: true })}
          <${PeopleField}
            people=${people}
            known=${peopleKnown()}
            label="Who else is in it"
            hint="Handles, such as @bo. You can invite more people later."
          />
        `}
      <//>
    </div>
  `;
}

/** Says under which address a public room is found. @param {string} title */
function addressOf(title) {
  const slug = slugify(title);
  if (!title.trim()) return "Its address is made of the title.";
  return SLUG.test(slug) ? `Its address is /rooms/${slug}` : "A public room needs letters a–z or digits in its title.";
}
