import { html } from "../html.js";
import { name } from "../me.js";
import { kindOf, titleOf } from "../memberships/titles.js";
import { membershipOf } from "../memberships/memberships.js";
import { isHere } from "../memberships/here.js";
import { partnerIn } from "../rooms/mine.js";
import { Avatar } from "./avatar.js";
import { Group, Lock } from "./icons.js";

/** Draws what kind of room it is: a #, a lock, a group, or the other person, with a dot while they are here. @param {{slug: string}} props */
export function RoomIcon({ slug }) {
  const kind = membershipOf(slug)?.kind ?? kindOf(slug);
  if (kind === "direct") return html`<${Partner} slug=${slug} />`;
  if (kind === "public") return html`<span class="hash" aria-hidden="true">#</span>`;
  return html`<span class="hash kind"><${kind === "group" ? Group : Lock} /></span>`;
}

/** @param {{slug: string}} props */
function Partner({ slug }) {
  const partner = partnerIn(slug);
  const isPresent = partner !== undefined && isHere(partner.id);
  const isOwn = membershipOf(slug) !== undefined && !partner;
  return html`
    <span class=${isPresent ? "partner here" : "partner"}>
      <${Avatar} name=${isOwn ? name.value : titleOf(slug)} />${isPresent && html`<span class="sr-only">here now: </span>`}
    </span>
  `;
}
