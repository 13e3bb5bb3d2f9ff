import { signal } from "@preact/signals";
import { load, save } from "./browser/storage.js";
import { cleanName } from "./text.js";

/** This person's name; empty until they have chosen one. */
export const name = signal(cleanName(load("name")));

/** @param {string} next */
export function rename(next) {
  name.value = next;
  save("name", next);
}
