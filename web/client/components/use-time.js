import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** Draws the caller again every `step` milliseconds until a time has come, and then once more. @param {number} until @param {number} step */
export function useTime(until, step) {
  const ticks = useSignal(0);
  ticks.value;
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const tick = () => {
      ticks.value += 1;
      go();
    };
    const go = () => {
      const left = until - Date.now();
      if (left > 0) timer = setTimeout(tick, Math.min(left + 1, step));
    };
    go();
    return () => clearTimeout(timer);
  }, [until, step]);
}
