import { html } from "../../html.js";
import { focusField } from "../composer/focus.js";
import { addToDraft, editAgain } from "../composer/edits.js";
import { takeAside } from "../composer/put-aside.js";
import { emojiOf } from "../reactions/emoji.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {import("../../room/operations.js").Operation} Operation */

/** What has not happened. @type {Record<Operation["kind"], string>} */
const WORDS = {
  edit: "not changed",
  delete: "not deleted",
  react: "not added",
  unreact: "not taken back",
  pin: "not pinned",
  unpin: "still pinned",
};

/** Says what this person wanted of a message and what was refused. @param {{room: Room, message: Row}} props */
export function RefusedOperations({ room, message }) {
  const failed = message.operations?.filter(({ status }) => status === "failed") ?? [];
  return failed.map(
    (operation) => html`<${Refused} key=${operation.id} room=${room} message=${message} operation=${operation} />`,
  );
}

/** Moves the focus to the composer after `act`, as the pressed button goes away. @param {() => void} act */
const andFocusField = (act) => () => {
  act();
  focusField();
};

/** @param {{room: Room, message: Row, operation: Operation}} props */
function Refused({ room, message, operation: { id, kind, why, key, message: text = "" } }) {
  const discard = () => {
    takeAside(room.slug, message.id);
    room.operations.discard(id);
  };
  const resume = () => {
    discard();
    editAgain(room.slug, message, text);
  };
  const keep = () => {
    discard();
    addToDraft(room.slug, text);
  };
  const editing = room.mayEdit(message)
    ? { label: "edit again", retry: resume }
    : { label: "keep as a draft", retry: keep };
  const { label, retry } = kind === "edit" ? editing : { label: "retry", retry: () => room.operations.retry(id) };
  const isVain = kind === "delete" ? !room.mayDelete(message) : kind !== "edit" && message.deleted_at !== undefined;
  return html`
    <p class="not-sent" role="alert">
      ${key && html`${emojiOf(key)} `}${WORDS[kind]} ·${" "}
      ${!isVain && html`<button type="button" onClick=${andFocusField(retry)}>${label}</button> · `}
      <button type="button" onClick=${andFocusField(discard)}>dismiss</button>
      ${" "}<span class="why">${why}</span>
    </p>
  `;
}
