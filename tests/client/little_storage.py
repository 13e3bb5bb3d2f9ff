"""Browsers that keep nothing, or little. Scripts for `add_init_script`."""

WITHOUT_STORAGE = """
for (const name of ["localStorage", "sessionStorage", "indexedDB"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
navigator.locks.request = () => Promise.reject(new DOMException("denied", "SecurityError"));
"""
"""Storage is forbidden."""

FULL = """{
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (key, value) {
    if (key === "chatter:account") throw new DOMException("full", "QuotaExceededError");
    setItem.call(this, key, value);
  };
}"""
"""There is no space for the account, and a little for what is shorter or comes later."""
