import { Component } from "preact";
import { html } from "../html.js";
import { dayOf } from "../time.js";
import { Day, Message } from "./message.js";

/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {{messages: Posted[], before: Posted | undefined, today: string, unsaved: string, newFrom: number}} ChunkProps `unsaved`: ids, by spaces */

/**
 * So many messages are laid out, painted and compared as one. With 5,000 messages held, one more re-renders one chunk
 * and compares 125; chunks out of sight cost no layout (`content-visibility` in style.css).
 */
export const CHUNK = 40;
const GROUP_MS = 5 * 60_000;

/** @extends {Component<ChunkProps>} */
export class Chunk extends Component {
  /** @param {ChunkProps} next */
  shouldComponentUpdate(next) {
    const { messages, ...now } = this.props;
    const { messages: nextMessages, ...then } = next;
    return !same(messages, nextMessages) || !alike(now, then);
  }

  render() {
    const { messages, before } = this.props;
    const height = `auto ${estimate(messages)}px`;
    return html`
      <div class="chunk" style=${{ containIntrinsicBlockSize: height }}>
        ${messages.flatMap((said, index) => row(said, messages[index - 1] ?? before, this.props))}
      </div>
    `;
  }
}

/** Cut by `seq`, so that older messages in front move no border. @param {Posted[]} said @returns {Posted[][]} */
export function chunks(said) {
  const cut = [];
  for (let from = 0, to = 0; from < said.length; from = to) {
    while (to < said.length && chunkOf(said[to]) === chunkOf(said[from])) to += 1;
    cut.push(said.slice(from, to));
  }
  return cut;
}

/** @param {Posted | undefined} message @returns {number} */
export function chunkOf(message) {
  return Math.ceil((message?.seq ?? 0) / CHUNK);
}

/** Messages never change and stand in an unbroken row but for those never saved, so the ends and the number tell. @param {Posted[]} a @param {Posted[]} b */
function same(a, b) {
  return a.length === b.length && a[0] === b[0] && a.at(-1) === b.at(-1);
}

/** @param {Record<string, unknown>} a @param {Record<string, unknown>} b */
function alike(a, b) {
  return Object.keys(a).every((key) => a[key] === b[key]);
}

/** A message and the lines above it, if any, all with keys: what is on the screen must survive older ones in front. @param {Posted} said @param {Posted | undefined} before @param {ChunkProps} props */
function row(said, before, { today, unsaved, newFrom }) {
  // The place that newFrom names may be void: then the next message is the first new one.
  const isNew = newFrom <= said.seq && newFrom > (before?.seq ?? said.seq - 1);
  const newDay = !before || dayOf(before.inserted_at) !== dayOf(said.inserted_at);
  const state = unsaved.split(" ").includes(said.id) ? "pending" : undefined;
  const message = html`<${Message} key=${said.seq} said=${said} first=${newDay || isNew || !continues(before, said)} state=${state} />`;
  const day = newDay && html`<${Day} key=${`day ${said.seq}`} iso=${said.inserted_at} today=${today} />`;
  const line = isNew && html`<p key=${`new ${said.seq}`} class="new">New</p>`;
  return [day, line, message].filter(Boolean);
}

/**
 * The same person going on within a few minutes.
 * @param {{name: string, inserted_at: string} | undefined} before @param {{name: string, inserted_at: string}} said
 */
export function continues(before, said) {
  if (before?.name !== said.name) return false;
  return Date.parse(said.inserted_at) - Date.parse(before.inserted_at) < GROUP_MS;
}

/** The height before it was ever laid out; near enough that the scroll bar does not dance. @param {Posted[]} messages */
function estimate(messages) {
  const lines = messages.reduce((sum, { message }) => sum + 1 + Math.floor(message.length / 80), 0);
  return lines * 24 + messages.length * 16;
}
