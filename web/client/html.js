import htm from "htm";
import { h } from "preact";

/**
 * Builds Preact elements from a template. Values become text or properties, never markup.
 *
 * @type {(strings: TemplateStringsArray, ...values: any[]) => any}
 */
export const html = htm.bind(h);
