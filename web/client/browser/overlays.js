/**
 * What is open over the page, like a dialog, and its entries in the browser's history: Back closes what is on top.
 *
 * The entry of the lowest overlay has the state `{overlays: 1}`, that of the one above it `{overlays: 2}`. They are
 * added while the person acts, as browsers skip entries that are not. What closes in another way is followed by going
 * back, which takes the browser a moment.
 */

/** @typedef {{key: object, close: () => void}} Overlay `key` tells it from others */

const OPEN = ":popover-open, [open]";

/** The topmost last. @type {Overlay[]} */
let overlays = [];
/** The browser is on its way back from entries of what was closed. */
let isReturning = false;
/** The addresses that wait for the browser to arrive, and for nothing to be open. @type {{next: string, present: string}} */
const waiting = { next: "", present: "" };

// ---- What is open

/** Opens a modal dialog that Back closes. @param {HTMLDialogElement | null} dialog */
export function showDialog(dialog) {
  dialog?.showModal();
  if (dialog) follow(dialog, () => dialog.close());
}

/** Opens a popover that Back closes. @param {HTMLElement} popover */
export function showPopover(popover) {
  popover.showPopover();
  follow(popover, () => popover.hidePopover());
}

/** @param {object} key @param {() => void} close lets Back close it */
export function overlayOpened(key, close) {
  overlays = [...overlays.filter((overlay) => overlay.key !== key), { key, close }];
  settle();
}

/** @param {object} key */
export function overlayClosed(key) {
  overlays = overlays.filter((overlay) => overlay.key !== key);
  settle();
}

/** Closes all that is open. */
export function closeOverlays() {
  closeAbove(0);
  settle();
}

/** Notes the element as open until it tells that it is not. @param {HTMLElement} element @param {() => void} close */
function follow(element, close) {
  for (const event of ["close", "toggle"]) element.addEventListener(event, closed);
  overlayOpened(element, close);
}

/** @param {Event} event which comes late: the element may be open again */
function closed({ currentTarget }) {
  const element = /** @type {HTMLElement} */ (currentTarget);
  if (!element.matches(OPEN)) overlayClosed(element);
}

/** @param {number} depth */
function closeAbove(depth) {
  const closing = overlays.slice(depth).toReversed();
  overlays = overlays.slice(0, depth);
  for (const { close } of closing) close();
}

// ---- Entries

/**
 * Adds an address to the history, in place of the entry of what is open, which is closed. With more than one the browser
 * goes back first: an entry that is left between two addresses would turn a later Forward back.
 *
 * @param {string} path
 */
export function addEntry(path) {
  if (isReturning || depthOf() > 1) waiting.next = path;
  else {
    waiting.present = "";
    history[depthOf() ? "replaceState" : "pushState"](null, "", path);
  }
  closeAbove(0);
  settle();
}

/** Changes the address of the page, below what is open. @param {string} path */
export function changeEntry(path) {
  if (isReturning || depthOf()) waiting[waiting.next ? "next" : "present"] = path;
  else history.replaceState(null, "", path);
}

/** Forgets what was open before a reload. */
export function forgetOverlays() {
  if (depthOf()) history.replaceState(null, "");
}

/**
 * Closes what the browser's Back has left. To be called at each `popstate`, before the address is looked at.
 *
 * @returns {boolean} whether the person has pressed Back, or Forward
 */
export function returned() {
  const isPressed = !isReturning;
  if (isPressed) closeAbove(depthOf());
  isReturning = false;
  settle();
  return isPressed;
}

/** Makes the history have an entry for each overlay, and no other. */
function settle() {
  if (isReturning) return;
  const surplus = depthOf() - overlays.length;
  if (surplus > 0) {
    isReturning = true;
    return history.go(-surplus);
  }
  if (!depthOf()) settleAddress();
  for (let depth = depthOf() + 1; depth <= overlays.length; depth += 1) history.pushState({ overlays: depth }, "");
}

function settleAddress() {
  const { next, present } = waiting;
  Object.assign(waiting, { next: "", present: "" });
  if (present) history.replaceState(null, "", present);
  if (next) history.pushState(null, "", next);
}

/** @returns {number} */
function depthOf() {
  return history.state?.overlays ?? 0;
}
