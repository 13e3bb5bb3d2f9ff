/** Web Storage, for whoever uses this browser. Where it is forbidden or full, a value lives as long as the page. */

/** What all tabs share, and the browser keeps. */
export const shared = keeping(() => localStorage);

/** What belongs to one tab and survives its reload. */
export const ofTab = keeping(() => sessionStorage);

/** @typedef {typeof shared} Kept */

/** Reads what was kept as JSON. @param {string | null} json @returns {any} null for nothing, and for what is no JSON */
export function fromJson(json) {
  try {
    return JSON.parse(json ?? "null");
  } catch {
    return null;
  }
}

// ---- Internal

/** @param {() => Storage} find throws where it is forbidden */
function keeping(find) {
  /** What the browser does not keep. @type {Map<string, string>} */
  const held = new Map();
  return {
    /** @param {string} key @returns {string} empty for nothing */
    read(key) {
      try {
        return held.get(key) ?? find().getItem(key) ?? "";
      } catch {
        return "";
      }
    },

    /** Keeps a value; an empty one is removed. @param {string} key @param {string} value @returns {boolean} whether the browser does */
    write(key, value) {
      try {
        if (value) find().setItem(key, value);
        else find().removeItem(key);
        held.delete(key);
        return true;
      } catch {
        held.set(key, value); // full or forbidden
        return false;
      }
    },

    /** Holds a value in this page alone. @param {string} key @param {string} value */
    hold(key, value) {
      held.set(key, value);
    },

    /** Lets go of what is held in this page alone: another tab has kept a newer value. @param {string} key */
    release(key) {
      held.delete(key);
    },

    /** @param {string} key @returns {any} null for nothing, and for what is no JSON */
    readJson(key) {
      return fromJson(this.read(key));
    },

    /** Keeps a value as JSON; null is removed. @param {string} key @param {object | null} value */
    writeJson(key, value) {
      return this.write(key, value ? JSON.stringify(value) : "");
    },

    /** Returns the keys that begin with `prefix`. @param {string} prefix @returns {string[]} */
    keysFrom(prefix) {
      const isKept = (/** @type {string} */ key) => key.startsWith(prefix) && this.read(key) !== "";
      try {
        return [...new Set([...held.keys(), ...Object.keys(find())])].filter(isKept);
      } catch {
        return [...held.keys()].filter(isKept);
      }
    },
  };
}
