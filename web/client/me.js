import { signal } from "@preact/signals";
import { recall, remember } from "./browser/storage.js";

/** The name this person goes by; empty until they have said it. */
export const name = signal(recall("name"));

/** @param {string} next */
export function rename(next) {
  name.value = next;
  remember("name", next);
}
