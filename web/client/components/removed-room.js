import { useLayoutEffect, useRef } from "preact/hooks";
import { ask } from "../account/api.js";
import { problemOf } from "../account/refusals.js";
import { LOBBY } from "../browser/route.js";
import { html } from "../html.js";
import { cameBack } from "../memberships/removals.js";
import { dismissRemoved, removed } from "../memberships/removed.js";
import { kindOf } from "../memberships/titles.js";
import { goTo } from "./go-to.js";
import { copyAndTell, showToast } from "./toast.js";

/**
 * Draws what is left of a room in which the person is no more: what they wrote there and had not sent.
 *
 * @param {{slug: string}} props
 */
export function RemovedRoom({ slug }) {
  const { title = "", text = "", why = "", reason = "" } = removed.value.get(slug) ?? {};
  const leave = () => {
    goTo(LOBBY);
    dismissRemoved(slug);
  };
  const region = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    for (const dialog of document.querySelectorAll("dialog.of-room")) /** @type {HTMLDialogElement} */ (dialog).close();
    region.current?.focus({ preventScroll: true }); // who was writing there goes on here
  }, []);
  return html`
    <div class="removed-room" role="region" aria-label="Conversation" tabindex="-1" ref=${region}>
      <h2>${begin(why)} this room</h2>
      ${reason && html`<p>The reason: <q dir="auto">${reason}</q></p>`}
      <p><bdi>${title}</bdi> and what was said there are not on this device any more.</p>
      ${text && html`<${Words} text=${text} />`}
      <div class="actions">
        ${text && html`<button class="plain" type="button" onClick=${() => copyAndTell(text, "Text copied")}>Copy</button>`}
        ${kindOf(slug) === "public" && html`<button class="plain" type="button" onClick=${() => comeIn(slug)}>Try to come in</button>`}
        <button class="primary" type="button" onClick=${leave}>Go to #${LOBBY}</button>
      </div>
    </div>
  `;
}

/** Comes into a public room again where that is allowed: nobody tells who was banned that the ban is lifted. @param {string} slug */
async function comeIn(slug) {
  try {
    await ask("GET", `/api/rooms/${slug}`);
    cameBack(slug);
  } catch (refusal) {
    showToast(problemOf(/** @type {import("../account/api.js").Refusal} */ (refusal)).words);
  }
}

/** Begins the sentence about a room in which the person is no more. @param {string} why */
function begin(why) {
  return why === "banned" ? "You were banned from" : "You are no longer in";
}

/** @param {{text: string}} props */
function Words({ text }) {
  return html`
    <label for="left-words">What you wrote and had not sent</label>
    <textarea id="left-words" readonly rows="6" dir="auto">${text}</textarea>
  `;
}

/** Says in which other rooms the person is no more. @param {{here: string}} props */
export function RemovedNotices({ here }) {
  const others = [...removed.value].filter(([slug]) => slug !== here);
  return html`
    <div class="removed-notices" role="status">
      ${others.map(
        ([slug, { title, text, why, reason }]) => html`
          <p class="notice" key=${slug}>
            <span>${begin(why)} <bdi>${title}</bdi>${reason ? html`: <q dir="auto">${reason}</q>` : "."}</span>
            ${text && html`<button type="button" onClick=${() => copyAndTell(text, "Text copied")}>Copy what you wrote</button>`}
            <button type="button" onClick=${() => dismissRemoved(slug)}>Dismiss</button>
          </p>
        `,
      )}
    </div>
  `;
}
