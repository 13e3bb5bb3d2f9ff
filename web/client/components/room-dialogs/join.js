import { ask } from "../../account/api.js";
import { problemOf } from "../../account/refusals.js";
import { isSignUpClosed } from "../../account/server.js";
import { leaveJoin } from "../../browser/route.js";
import { html } from "../../html.js";
import { account } from "../../me.js";
import { Form } from "../account/form.js";
import { openSignIn } from "../account/open.js";
import { showInDialog } from "../account/show.js";
import { goTo } from "../go-to.js";

/** @typedef {{title: string, people: number, slug?: string}} Shown `slug` of a room in which the person is already */
/** @typedef {{code: string, room?: Shown, close: () => void}} Props */

const TITLE = "join-title";
const NOT_NEEDED = "This invite is for somebody who has none.";

/** The dialog that was shown last. @type {HTMLDialogElement | undefined} */
let shown;

/**
 * Looks what a link is for, and shows the dialog for that; to who is in the room already, the room. The address stays
 * until the person has decided. Who signs in meanwhile is shown it anew.
 *
 * @param {string} code
 */
export async function showJoin(code) {
  const content = await look(code);
  shown?.close();
  if (typeof content === "string") {
    leaveJoin(content);
    return goTo(content);
  }
  shown = showInDialog({ label: TITLE, className: "sign-in" }, content);
  shown.addEventListener("cancel", () => leaveJoin()); // Escape says no, too
}

/** Returns what to draw, or the room to go to. @param {string} code @returns {Promise<string | ((close: () => void) => any)>} */
async function look(code) {
  try {
    const { room } = await ask("GET", `/api/join/${encodeURIComponent(code)}`);
    if (room?.slug) return room.slug;
    const Face = account.peek() ? Member : Guest;
    return (close) => html`<${Face} code=${code} room=${room} close=${close} />`;
  } catch (refusal) {
    const { status } = /** @type {import("../../account/api.js").Refusal} */ (refusal);
    const words = status === 404 ? "" : problemOf(/** @type {any} */ (refusal)).words;
    return (close) => html`<${Dead} words=${words} close=${close} />`;
  }
}

/** Joins with the account that is signed in. @param {Props} props */
function Member({ code, room, close }) {
  const send = async () => {
    const { slug } = await ask("POST", "/api/join", { code });
    leaveJoin(slug);
    close();
    if (slug) goTo(slug);
  };
  if (!room) return html`<${Dead} title="You have an account" words=${NOT_NEEDED} close=${close} />`;
  const actions = html`
    <button class="plain" type="button" onClick=${() => leave(close)}>Not now</button>
    <button class="primary" type="submit" autofocus>Join</button>
  `;
  return html`
    <h2 id=${TITLE}>Join <bdi>${room.title}</bdi>?</h2>
    <p>${peopleIn(room)}</p>
    <${Form} send=${send} actions=${actions}>${() => null}<//>
  `;
}

/** Lets somebody become a person with an account first. @param {Props} props */
function Guest({ code, room, close }) {
  const go = (/** @type {import("../account/sign-in.js").Face} */ face) => () => {
    close();
    openSignIn({ face, invite: code });
  };
  const mayCreate = !isSignUpClosed.value;
  return html`
    <h2 id=${TITLE}>${room ? html`You are invited to <bdi>${room.title}</bdi>` : "You are invited"}</h2>
    ${room && html`<p>${peopleIn(room)}</p>`}
    <p>${room ? "People with an account can join it." : "With this link you can create an account here."}</p>
    <div class="actions">
      <button class="plain" type="button" onClick=${() => leave(close)}>Not now</button>
      ${
        room &&
        html`
          <button class=${mayCreate ? "plain" : "primary"} type="button" autofocus=${!mayCreate} onClick=${go("in")}>
            Sign in
          </button>
        `
      }
      ${mayCreate && html`<button class="primary" type="button" autofocus onClick=${go("up")}>Create an account</button>`}
    </div>
  `;
}

/** One page for all that do not work: whoever tries codes learns nothing. @param {{title?: string, words?: string, close: () => void}} props */
function Dead({ title = "This link does not work", words, close }) {
  return html`
    <h2 id=${TITLE}>${title}</h2>
    <p>${words || "It was used, is too old, was revoked, or is not complete. Ask whoever gave it to you for another one."}</p>
    <div class="actions">
      <button class="primary" type="button" autofocus onClick=${() => leave(close)}>Close</button>
    </div>
  `;
}

/** @param {() => void} close */
function leave(close) {
  leaveJoin();
  close();
}

/** @param {Shown} room */
function peopleIn({ people }) {
  return people === 1 ? "1 person is in it." : `${people.toLocaleString()} people are in it.`;
}
