import { html } from "../../html.js";
import { isSignUpClosed } from "../../account/server.js";
import { titleOf } from "../../memberships/titles.js";
import { GOVERNING } from "../../messages.js";
import { fullDate } from "../../time.js";
import { Form } from "../account/form.js";
import { EndButton, List, useList } from "../account/list.js";
import { showInDialog } from "../account/show.js";
import { ShownOnce } from "../account/shown-once.js";
import { QrCode } from "./qr-code.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {{id: number, uses_left: number | null, expires_at: string | null}} Link */

const TITLE = "links-title";

/** Shows the links that lead into a room, and makes another. @param {Room} room */
export function showLinks(room) {
  showInDialog(
    { label: TITLE, className: "room-dialog of-room" },
    (close) => html`<${Links} room=${room} close=${close} />`,
  );
}

/** @param {{room: Room, close: () => void}} props */
function Links({ room, close }) {
  const path = `/api/rooms/${room.slug}/links`;
  const list = useList(path, ({ links }) => links);
  const { items, problem, read, end, made } = list;
  const send = async ({ uses = "", days = "" }) => {
    const asked = room.ask(GOVERNING.makeLink, { uses: Number(uses), days: Number(days) });
    const { id, url } = await asked.catch(explained);
    made.value = { id, secret: new URL(url, location.origin).href };
    await read();
  };
  const actions = html`
    <button class="plain" type="button" onClick=${close}>Close</button>
    <button class="primary" type="submit">Make a link</button>
  `;
  return html`
    <h2 id=${TITLE}>Links to <bdi>${titleOf(room.slug)}</bdi></h2>
    <p class="hint">Whoever has a link can join the room with it${!isSignUpClosed.value && ", and create an account for that"}.</p>
    <${List} label="Links" items=${items.value} problem=${problem} empty="There are none.">
      ${(/** @type {Link} */ link) => html`<${Row} link=${link} end=${() => end(link.id)} />`}
    <//>
    <${ShownOnce} what="the link" made=${made} />
    ${made.value.secret && html`<${QrCode} text=${made.value.secret} />`}
    <${Form} list=${list} send=${send} label="New link" actions=${actions}>
      ${(/** @type {any} */ field) => html`
        <div class="pair">
          ${field({ name: "uses", label: "For how many people", type: "number", value: "1", autocomplete: "off" })}
          ${field({ name: "days", label: "For how many days", type: "number", value: "7", autocomplete: "off" })}
        </div>
      `}
    <//>
  `;
}

/** Who may make links in the room may be too new on the server for that. @param {{reason?: string}} refusal @returns {never} */
function explained(refusal) {
  if (refusal.reason !== "forbidden") throw refusal;
  throw { reason: "invalid", message: "A new account can make links only after some days." };
}

/** @param {{link: Link, end: () => Promise<void>}} props */
function Row({ link: { uses_left: uses, expires_at }, end }) {
  const people = uses === null ? "any number of people" : uses === 1 ? "1 person" : `${uses} people`;
  return html`
    <span class="what">For ${people}</span>
    ${expires_at && html`<span class="when">until <time datetime=${expires_at}>${fullDate(expires_at)}</time></span>`}
    <${EndButton} words="Revoke" of=${`the link for ${people}`} act=${end} />
  `;
}
