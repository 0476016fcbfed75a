/* The equation of a link "(7.14)" is shown under the pointer, and while the link has the focus. */
(() => {
  "use strict";

  const WAIT = 150; // milliseconds: the pointer has time to go from the link to the box

  /** @type {HTMLElement | null} */
  let box = null;
  let timer = 0;

  /** Return what the page says of its formulas, {mathjax, formulas}. */
  function readData() {
    const script = document.getElementById("formulas");
    return script ? JSON.parse(script.textContent) : { mathjax: "", formulas: {} };
  }

  const data = readData();

  /** Return the number of the equation that a link leads to, or "". @param {Element} link */
  function numberOf(link) {
    const match = /#equation-([\d.]+)$/.exec(link.getAttribute("href") || "");
    return match && match[1] in data.formulas ? match[1] : "";
  }

  /** Resolve when MathJax is there. A page without formulas loads it now. */
  function mathjax() {
    if (window.MathJax && window.MathJax.startup) return window.MathJax.startup.promise;
    if (!document.querySelector("script[data-equations]")) {
      window.MathJax = { startup: { typeset: false }, options: { enableMenu: false } };
      const script = document.createElement("script");
      script.src = data.mathjax;
      script.dataset.equations = "";
      document.head.append(script);
    }
    return new Promise((resolve) => {
      const script = document.querySelector("script[data-equations]");
      script.addEventListener("load", () => window.MathJax.startup.promise.then(resolve));
    });
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

  /** Show the equation of a link. @param {Element} link */
  async function show(link) {
    const number = numberOf(link);
    clearTimeout(timer);
    if (!number || (box && box.dataset.number === number)) return;
    close();
    const mine = document.createElement("div");
    mine.id = "equation-box";
    mine.className = "equation-box";
    mine.dataset.number = number;
    mine.setAttribute("role", "tooltip");
    const formula = document.createElement("div");
    formula.className = "math mathjax_process tex2jax_process";
    formula.textContent = `\\[${data.formulas[number]}\\]`;
    const label = document.createElement("span");
    label.textContent = `(${number})`;
    mine.append(formula, label);
    mine.addEventListener("mouseenter", () => clearTimeout(timer));
    mine.addEventListener("mouseleave", closeSoon);
    mine.style.visibility = "hidden";
    box = mine;
    document.body.append(mine);
    link.setAttribute("aria-describedby", mine.id);
    await mathjax();
    await window.MathJax.typesetPromise([mine]);
    if (box !== mine) return; // closed, or another one is asked for
    place(link);
    mine.style.visibility = "visible";
  }

  /** Open what is folded around the place that the address names, and go there. */
  function arrive() {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place || !place.id.startsWith("equation-")) return;
    for (let around = place.parentElement; around; around = around.parentElement)
      if (around instanceof HTMLDetailsElement) around.open = true;
    place.scrollIntoView();
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
  window.addEventListener("load", () => {
    if (!location.hash.startsWith("#equation-")) return;
    arrive();
    mathjax().then(arrive); // typeset formulas have moved the place
  });
})();
