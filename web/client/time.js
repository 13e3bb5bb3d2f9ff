import { signal } from "@preact/signals";

const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const withYear = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
});

/** The present local day. A signal, so that "Today" does not outlive midnight. */
export const today = signal(new Date().toDateString());

/** A moment of the present minute. A signal, for what ends at a time. */
export const minute = signal(Date.now());

export function watchTime() {
  setInterval(() => {
    minute.value = Date.now();
    today.value = new Date().toDateString();
  }, 30_000);
}

/** @param {string} iso */
export function timeOfDay(iso) {
  return clock.format(new Date(iso));
}

/** @param {string} iso */
export function fullDate(iso) {
  return dateTime.format(new Date(iso));
}

/** Returns a moment of today as its time, another with its date. @param {string} iso */
export function moment(iso) {
  return dayOf(iso) === new Date().toDateString() ? timeOfDay(iso) : fullDate(iso);
}

/** Returns the local day. @param {string} iso */
export function dayOf(iso) {
  return new Date(iso).toDateString();
}

/**
 * Returns the day in words.
 *
 * @param {string} iso
 * @param {string} now the present day, as `dayOf` returns it
 */
export function dayName(iso, now) {
  const day = dayOf(iso);
  if (day === now) return "Today";
  if (day === new Date(new Date(now).getTime() - DAY_MS / 2).toDateString()) return "Yesterday";
  const sameYear = new Date(day).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? weekday : withYear).format(new Date(iso));
}
