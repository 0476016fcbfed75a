/* Everything that is folded is printed, and folded again afterwards. */
(() => {
  "use strict";

  /** @type {HTMLDetailsElement[]} */
  let opened = [];

  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const fold of opened) fold.open = false;
  });
})();
