import { html } from "../html.js";

/** @param {string} path */
const icon = (path) => html`
  <svg
    class="icon"
    viewBox="0 0 24 24"
    width="20"
    height="20"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    <path d=${path} />
  </svg>
`;

export const Menu = () => icon("M4 7h16M4 12h16M4 17h10");
export const Close = () => icon("M6 6l12 12M18 6L6 18");
export const Send = () => icon("M12 19V5M6 11l6-6 6 6");
export const Check = () => icon("M5 12.5l5 5L19 7");
export const Down = () => icon("M12 5v14M6 13l6 6 6-6");
export const Clock = () => icon("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2");
export const Plus = () => icon("M12 5v14M5 12h14");
export const Smile = () =>
  icon("M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5a4.2 4.2 0 0 0 7 0M9 9.5v.01M15 9.5v.01");
export const Search = () => icon("M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5");
export const More = () => icon("M5 12h.01M12 12h.01M19 12h.01");
export const Pin = () => icon("M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6zM12 15v6");
export const Unpin = () => icon("M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6zM12 15v6M4 3l16 18");
export const Muted = () => icon("M6 16V11a6 6 0 0 1 9.5-4.9M18 11v5l1.5 2H8M10.5 21h3M4 4l16 16");
export const Copy = () => icon("M9 9h11v11H9zM5 15H4V4h11v1");
export const Link = () =>
  icon("M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1");
export const Edit = () => icon("M4 20h4L19 9l-4-4L4 16v4zM13.5 6.5l4 4");
export const Reply = () => icon("M9 7l-5 5 5 5M4 12h10a6 6 0 0 1 6 6v1");
export const Trash = () => icon("M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5");
export const React = () =>
  icon("M20 12.5a8 8 0 1 1-8.5-8M8 14.5a4.2 4.2 0 0 0 7 0M8.5 10v.01M14.5 10v.01M19 2.5v6M16 5.5h6");
export const People = () =>
  icon(
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4" +
      "M18 14.2a6.5 6.5 0 0 1 3.5 5.8",
  );

export const Lock = () => icon("M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3");
export const Group = () =>
  icon(
    "M8.5 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 19a6 6 0 0 1 12 0M16 11.5a2.5 2.5 0 1 0 0-5M17 14.2a5 5 0 0 1 4.5 4.8",
  );
export const Unread = () => icon("M4 6h16v10h-8l-4 4v-4H4zM19 6a2.5 2.5 0 1 0 0-.01");

/** Draws two speech bubbles, one answering the other. */
export const Logo = () => html`
  <svg class="logo" viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
    <path
      class="logo-answer"
      d="M13 12.5h11a5 5 0 0 1 5 5v4a5 5 0 0 1-5 5h-.5V30l-4.8-3.5H13a5 5 0 0 1-5-5v-4a5 5 0 0 1 5-5z"
    />
    <path
      class="logo-word"
      d="M8 3h12a5 5 0 0 1 5 5v5a5 5 0 0 1-5 5h-6.5L8.3 22v-4H8a5 5 0 0 1-5-5V8a5 5 0 0 1 5-5z"
    />
  </svg>
`;
