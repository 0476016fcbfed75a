/* The equation of a link "(7.14)" is shown under the pointer, and while the link has the focus. */
(() => {
  "use strict";

  const WAIT = 150; // milliseconds: the pointer has time to go from the link to the box
  const FOLDER = new URL("equations/", document.currentScript.src).href;

  /** @type {HTMLElement | null} */
  let box = null;
  let timer = 0;
  /** @type {Map<string, Promise<void>>} */
  const loading = new Map();

  /** Return the number of the equation that a link leads to. @param {Element} link */
  function numberOf(link) {
    return link.getAttribute("href").split("#equation-")[1];
  }

  /** Load the script with the equations of a chapter, once. @param {string} chapter */
  function load(chapter) {
    if (!loading.has(chapter)) {
      const script = document.createElement("script");
      script.src = `${FOLDER}${chapter}.js`;
      loading.set(chapter, new Promise((resolve) => (script.onload = () => resolve())));
      document.head.append(script);
    }
    return loading.get(chapter);
  }

  function close() {
    clearTimeout(timer);
    if (!box) return;
    document.querySelector(`[aria-describedby="${box.id}"]`)?.removeAttribute("aria-describedby");
    box.remove();
    box = null;
  }

  function closeSoon() {
    clearTimeout(timer);
    timer = setTimeout(close, WAIT);
  }

  /** Put the box below its link, or above it where there is no room. @param {Element} link */
  function place(link) {
    const at = link.getBoundingClientRect();
    const size = box.getBoundingClientRect();
    const wide = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(at.left, wide - size.width - 8));
    const below = at.bottom + 6 + size.height < window.innerHeight || at.top < size.height + 6;
    const top = below ? at.bottom + 6 : at.top - size.height - 6;
    box.style.left = `${left + window.scrollX}px`;
    box.style.top = `${top + window.scrollY}px`;
  }

  /** Return the box of an equation. @param {string} number */
  function makeBox(number) {
    const made = document.createElement("div");
    made.id = "equation-box";
    made.className = "equation-box";
    made.dataset.number = number;
    made.setAttribute("role", "tooltip");
    const formula = document.createElement("div");
    formula.className = "formula";
    formula.innerHTML = window.EQUATIONS[number];
    const label = document.createElement("span");
    label.textContent = `(${number})`;
    made.append(formula, label);
    made.addEventListener("mouseenter", () => clearTimeout(timer));
    made.addEventListener("mouseleave", closeSoon);
    return made;
  }

  /** Show the equation of a link. @param {Element} link */
  async function show(link) {
    const number = numberOf(link);
    clearTimeout(timer);
    if (box && box.dataset.number === number) return;
    close();
    await load(number.split(".")[0].padStart(2, "0"));
    if (!link.matches(":hover, :focus")) return; // the reader has gone on
    close();
    box = makeBox(number);
    document.body.append(box);
    link.setAttribute("aria-describedby", box.id);
    place(link);
  }

  /** Open what is folded around the equation that the address names, and go there. */
  function arrive() {
    if (!location.hash.startsWith("#equation-")) return;
    const place = document.getElementById(location.hash.slice(1));
    for (let around = place && place.parentElement; around; around = around.parentElement)
      if (around instanceof HTMLDetailsElement) around.open = true;
    if (place) place.scrollIntoView();
  }

  for (const link of document.querySelectorAll('a[href*="#equation-"]')) {
    link.addEventListener("mouseenter", () => show(link));
    link.addEventListener("mouseleave", closeSoon);
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", closeSoon);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  window.addEventListener("hashchange", arrive);
  arrive();
})();
