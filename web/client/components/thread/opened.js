import { signal } from "@preact/signals";

/** @typedef {import("../../room/thread.js").Thread} Thread */

/** The thread in the panel, or the last that was there, and the room that it is of. */
export const openedThread = signal(/** @type {{slug: string, thread: Thread} | null} */ (null));
