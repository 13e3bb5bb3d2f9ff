import { options } from "preact";

/**
 * Calls `act` and draws what it changes before returning, so that the handler can move the focus to what appears. The
 * next frame would be too late: keys that come before it would go elsewhere.
 *
 * @template T
 * @param {() => T} act
 */
export function drawNow(act) {
  const { debounceRendering } = options;
  options.debounceRendering = (draw) => draw();
  try {
    return act();
  } finally {
    options.debounceRendering = debounceRendering;
  }
}
