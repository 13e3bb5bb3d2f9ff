import { slug } from "../../browser/route.js";
import { listRooms } from "../../rooms/list.js";
import { account } from "../../me.js";
import { countUnread } from "../../rooms/seen.js";
import { isHidden } from "../../rooms/mine.js";
import { forMembers } from "../for-members.js";
import { goTo } from "../go-to.js";
import { openKeys } from "./keys.js";
import { togglePalette } from "./palette.js";

/** Hears the keys that work anywhere in the page, before anything else does. */
export function listenForKeys() {
  addEventListener("keydown", (event) => isTaken(event) && event.preventDefault(), { capture: true });
}

/** Does what a key is for. Returns whether it is one of these keys. @param {KeyboardEvent} event */
function isTaken(event) {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  const isCommand = (ctrlKey || metaKey) && !altKey && !shiftKey;
  const open = document.querySelector("dialog:modal");
  if (isCommand && key.toLowerCase() === "k" && (!open || open.matches(".palette"))) return does(togglePalette);
  if (open) return false;
  const step = { ArrowUp: -1, ArrowDown: 1 }[/** @type {"ArrowUp"} */ (key)];
  if (altKey && !ctrlKey && !metaKey && step) return does(() => goOn(step, shiftKey));
  if (account.peek() && key === "Escape" && shiftKey && !altKey && !ctrlKey && !metaKey) return does(readAll);
  return key === "?" && !isField(event.target) && does(openKeys);
}

/** @param {() => void} act */
function does(act) {
  act();
  return true;
}

/** Shows the next room of the sidebar, or the next with something new. @param {number} step @param {boolean} isUnread */
function goOn(step, isUnread) {
  const { value: here } = slug;
  const shown = listRooms(here).filter((room) => room.name === here || !isHidden(room));
  const list = shown.filter((room) => !isUnread || room.name === here || countUnread(room) > 0);
  const at = list.findIndex(({ name }) => name === here);
  const next = list[(at + step + list.length) % list.length];
  if (next && next.name !== here) goTo(next.name);
}

async function readAll() {
  (await forMembers()).readAll();
}

/** @param {EventTarget | null} target */
function isField(target) {
  return target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
}
