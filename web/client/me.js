import { signal } from "@preact/signals";
import { load, save } from "./browser/storage.js";

/** The name this person goes by; empty until they have said it. */
export const name = signal(load("name"));

/** @param {string} next */
export function rename(next) {
  name.value = next;
  save("name", next);
}
