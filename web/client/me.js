import { signal } from "@preact/signals";
import { follow, load, save } from "./browser/storage.js";
import { cleanName } from "./text/cleaning.js";

/** This person's name; empty until they have chosen one. */
export const name = signal(cleanName(load("name")));

/** @param {string} next */
export function rename(next) {
  name.value = next;
  save("name", next);
}

/** Takes the name that the person chooses in another tab. */
export function followName() {
  follow("name", (chosen) => (name.value = cleanName(chosen) || name.peek()));
}
