import { generate } from "lean-qr";
import { useMemo } from "preact/hooks";
import { html } from "../../html.js";

/** The empty edge around a code, in modules, as ISO/IEC 18004 wants it. */
const EDGE = 4;

/** Draws a QR code of a text, dark on light in any colours: readers want it so. @param {{text: string}} props */
export function QrCode({ text }) {
  const { size, path } = useMemo(() => draw(text), [text]);
  const all = size + 2 * EDGE;
  return html`
    <svg class="qr-code" viewBox=${`${-EDGE} ${-EDGE} ${all} ${all}`} role="img" aria-label="QR code of the link">
      <rect x=${-EDGE} y=${-EDGE} width=${all} height=${all} fill="#fff" />
      <path d=${path} fill="#000" shape-rendering="crispEdges" />
    </svg>
  `;
}

/** @param {string} text */
function draw(text) {
  const code = generate(text);
  const modules = [...Array(code.size ** 2).keys()].map((at) => [at % code.size, Math.floor(at / code.size)]);
  const dark = modules.filter(([x = 0, y = 0]) => code.get(x, y));
  return { size: code.size, path: dark.map(([x, y]) => `M${x} ${y}h1v1h-1z`).join("") };
}
