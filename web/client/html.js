import htm from "htm";
import { h } from "preact";

/** JSX without a compiler. Values become text or properties, never markup. @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);
