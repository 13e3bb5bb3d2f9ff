/** The key of a thread's draft, before its room and root: apart from those of rooms, which the sidebar lists. */
export const THREAD_DRAFT = "thread-draft:";
