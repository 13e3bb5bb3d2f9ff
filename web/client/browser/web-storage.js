/** Web Storage, for whoever uses this browser. Where it is forbidden or full, nothing is kept between visits. */

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
  return {
    /** @param {string} key @returns {string} empty for nothing */
    read(key) {
      try {
        return find().getItem(key) ?? "";
      } catch {
        return "";
      }
    },

    /** Keeps a value; an empty one is removed. @param {string} key @param {string} value */
    write(key, value) {
      try {
        if (value) find().setItem(key, value);
        else find().removeItem(key);
      } catch {
        // Full or forbidden.
      }
    },

    /** @param {string} key @returns {any} null for nothing, and for what is no JSON */
    readJson(key) {
      return fromJson(this.read(key));
    },

    /** Keeps a value as JSON; null is removed. @param {string} key @param {object | null} value */
    writeJson(key, value) {
      this.write(key, value ? JSON.stringify(value) : "");
    },

    /** Returns the keys that begin with `prefix`. @param {string} prefix @returns {string[]} */
    keysFrom(prefix) {
      try {
        return Object.keys(find()).filter((key) => key.startsWith(prefix));
      } catch {
        return [];
      }
    },
  };
}
