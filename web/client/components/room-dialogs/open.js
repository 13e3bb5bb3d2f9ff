/** Opens the dialogs of rooms, which are loaded then: a visit without them costs nothing. */

import { showToast } from "../toast.js";

export async function openCreateRoom() {
  try {
    (await import("./create.js")).showCreateRoom();
  } catch {
    showToast("That could not be loaded. Is the server there?");
  }
}
