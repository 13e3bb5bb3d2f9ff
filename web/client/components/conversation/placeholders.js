import { html } from "../../html.js";
import { isCalledByPeople, kindOf, labelOfRoom } from "../../memberships/titles.js";
import { Link, Logo } from "../icons.js";
import { copyAndTell } from "../toast.js";

/** @typedef {import("../../room/room.js").Room} Room */

const LINES = ["long", "short", "middle", "long", "middle", "short", "long"];

/** Draws the shape of a conversation until the first messages arrive. */
export function Skeleton() {
  return html`
    <div class="skeleton" aria-hidden="true">
      ${LINES.map(
        (length) => html`
          <div class="bone"><i class="face"></i><i class="line name"></i><i class="line ${length}"></i></div>
        `,
      )}
    </div>
  `;
}

/** Draws what is there in place of a conversation that cannot be loaded now. @param {{slug: string}} props */
export function NotYet({ slug }) {
  return html`<p class="quiet">What was said in <bdi>${labelOfRoom(slug)}</bdi> is shown when the connection is back.</p>`;
}

/** Draws what is there in place of a private conversation where nobody is signed in any more. @param {{slug: string}} props */
export function Covered({ slug }) {
  return html`<p class="quiet">What was said in <bdi>${labelOfRoom(slug)}</bdi> is shown when you have signed in again.</p>`;
}

/** @param {{room: Room}} props */
export function Quiet({ room: { slug, charter } }) {
  const begin = isCalledByPeople(slug) ? "Your conversation with" : "It is quiet in";
  return html`
    <div class="quiet">
      <${Logo} />
      <h2>${begin} <bdi>${labelOfRoom(slug)}</bdi></h2>
      <p>Nobody has said anything ${charter.hidesPast ? "since you came." : "here yet. The first word is yours."}</p>
      ${
        kindOf(slug) === "public" &&
        html`
          <button type="button" onClick=${() => copyAndTell(location.href, "Link copied")}>
            <${Link} />Copy the link to invite somebody
          </button>
        `
      }
    </div>
  `;
}

/** @param {{room: Room, first: import("../../messages.js").Posted}} props `first` is the oldest message that is shown */
export function Beginning({ room: { slug, charter }, first: { seq, nth = seq } }) {
  // With the first message nothing is hidden: the rule was made while the person looked, or nothing was said before.
  if (charter.hidesPast && nth > 1)
    return html`<p class="beginning">You came to <strong><bdi>${labelOfRoom(slug)}</bdi></strong> here. What was said before is not shown.</p>`;
  const before = isCalledByPeople(slug) && "Your conversation with ";
  return html`<p class="beginning">${before}<strong><bdi>${labelOfRoom(slug)}</bdi></strong> begins here.</p>`;
}
