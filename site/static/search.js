/* The search: ranks the passages of passages.js for the words in the address, ?q=… */
(() => {
  "use strict";

  const SHOWN = 30; // results at most
  const A_PAGE = 4; // results of one page at most
  const EXPLAINED = 60; // points of the passage that explains a term of the glossary
  const ENDINGS = "(?:e|s|es|ed|ing)?";
  const AROUND = 110; // letters of a snippet before and after the word

  /** Return a pattern of all forms of a word: "gradients", "vanishing" and "vanish". */
  function pattern(word) {
    const stem = word.length > 5 ? word.replace(/(ing|ed|es|s)$/, "") : word;
    return stem.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }

  /** Return how often a pattern begins a word of a text. */
  function count(source, text) {
    return (text.match(new RegExp(`(?<![\\p{L}\\p{N}])${source}`, "giu")) || []).length;
  }

  /** Return what is asked for: its words, whether it is a name of the package, the number of an equation. */
  function understand(query) {
    const words = query.toLowerCase().split(/[\s"“”,;]+/).filter(Boolean);
    const equation = /(?:^|equation\s*|eq\.?\s*)\(?(\d+\.\d+[a-z]?)\)?\s*$/i.exec(query.trim());
    const sources = words.map(pattern);
    const isName = /^\w*(?:_|[a-z][A-Z])\w*$/.test(query.trim()); // lstm_step_backward, MinGRU
    const text = query.trim().toLowerCase();
    return { text, isName, sources, equation: equation ? equation[1] : "" };
  }

  /** Return how well a passage answers: 0 if a word is missing from it. */
  function score(asked, page, [, title, text, tags]) {
    if (asked.equation) {
      if (tags.includes(asked.equation)) return 1000;
      return count(`\\(${asked.equation.replace(".", "\\.")}\\)`, text);
    }
    const inText = asked.sources.map((source) => count(source, text));
    const inTitle = asked.sources.map((source) => count(source, title));
    if (asked.sources.some((_, i) => !inText[i] && !inTitle[i])) return 0;
    const phrase = asked.sources.join("[\\p{L}\\p{N}]*[\\s-]+");
    const named = asked.isName && title.toLowerCase().split(".").pop() === asked.text;
    const often = inText.reduce((sum, n) => sum + Math.log1p(n), 0) / asked.sources.length;
    return (
      often / (1 + text.length / 12000) +
      2 * Math.log1p(count(phrase, text)) +
      (inTitle.every(Boolean) ? 6 : 0) +
      (named ? 60 : 0)
    );
  }

  /** Return what the glossary says about a term or symbol: {page, passage} of each entry. */
  function define(query, pages) {
    const { sources } = understand(query);
    const forms = new RegExp(`^${sources.join(`${ENDINGS}[\\s-]+`)}${ENDINGS}$`, "iu");
    const is = (name) => name === query.trim() || (name.length > 1 && forms.test(name));
    return pages.flatMap((page) =>
      page.passages
        .filter(([, , , , names]) => names && names.some(is))
        .map((passage) => ({ page, passage })),
    );
  }

  /** Return the answers, best first. A page that says much about the words lifts its passages. */
  function find(query, pages) {
    const asked = understand(query);
    if (!asked.sources.length) return [];
    const terms = define(query, pages).map(({ passage }) => passage);
    const explained = ({ url }, [anchor]) => terms.some((term) => term[5] === `${url}#${anchor}`);
    const answers = pages.flatMap((page) => {
      const found = page.passages
        .filter((passage) => !terms.includes(passage))
        .map((passage) => ({
          page,
          passage,
          points: score(asked, page, passage) + (explained(page, passage) ? EXPLAINED : 0),
        }))
        .filter(({ points }) => points > 0)
        .sort((a, b) => b.points - a.points);
      const whole = found.reduce((sum, { points }) => sum + points, 0);
      const chapter = page.url.startsWith("chapters/") ? 1.5 : 1;
      return found
        .slice(0, A_PAGE)
        .map((one) => ({ ...one, points: chapter * (one.points + Math.sqrt(whole)) }));
    });
    return answers.sort((a, b) => b.points - a.points).slice(0, SHOWN);
  }

  /** Return the part of a text around the first place where the words are together, or one is. */
  function snippet(asked, text) {
    const phrase = asked.sources.join("[\\p{L}\\p{N}]*[\\s-]+");
    const wanted = asked.equation
      ? [`\\\\tag\\{${asked.equation}\\}`, `\\(${asked.equation}\\)`]
      : [phrase, ...asked.sources];
    const at = wanted
      .map((source) => text.search(new RegExp(`(?<![\\p{L}\\p{N}])${source}`, "iu")))
      .find((place) => place >= 0);
    const start = Math.max(0, (at ?? 0) - AROUND);
    const part = text.slice(start, (at ?? 0) + AROUND);
    return (start ? "… " : "") + part + (start + part.length < text.length ? " …" : "");
  }

  /** Put a text into an element, with the words that were asked for marked. */
  function mark(element, text, sources) {
    const words = new RegExp(`(?<![\\p{L}\\p{N}])(?:${sources.join("|")})[\\p{L}\\p{N}]*`, "giu");
    let end = 0;
    for (const match of text.matchAll(words)) {
      element.append(text.slice(end, match.index));
      const marked = document.createElement("mark");
      marked.textContent = match[0];
      element.append(marked);
      end = match.index + match[0].length;
    }
    element.append(text.slice(end));
  }

  /** Return one answer as an item of the list. */
  function item(asked, { page, passage }) {
    const [anchor, title, text] = passage;
    const entry = document.createElement("li");
    const link = document.createElement("a");
    link.href = page.url + (anchor ? `#${anchor}` : "");
    link.textContent = title;
    const where = document.createElement("span");
    where.className = "search-page";
    where.textContent = title === page.title ? "" : page.title;
    const words = document.createElement("p");
    mark(words, snippet(asked, text), asked.sources);
    entry.append(link, " ", where, words);
    return entry;
  }

  /** Return one entry of the glossary. */
  function definition({ page, passage: [anchor, title, text] }) {
    const entry = document.createElement("p");
    const link = document.createElement("a");
    link.href = `${page.url}#${anchor}`;
    link.textContent = title;
    entry.append(link, `: ${text}`);
    return entry;
  }

  function show(query) {
    const place = document.getElementById("search-results");
    const answers = find(query, window.PAGES);
    const defined = document.createElement("div");
    defined.className = "search-definitions";
    defined.append(...define(query, window.PAGES).map(definition));
    const said = document.createElement("p");
    said.setAttribute("role", "status");
    const list = document.createElement("ol");
    list.className = "search-answers";
    list.append(...answers.map((answer) => item(understand(query), answer)));
    place.replaceChildren(defined, said, list);
    said.textContent = answers.length
      ? `${answers.length === SHOWN ? "The best " : ""}${answers.length} passages.`
      : "No passage has all of these words. Try one of them, or its beginning.";
  }

  const query = new URLSearchParams(location.search).get("q") || "";
  for (const input of document.querySelectorAll("form.bd-search input")) input.value = query;
  if (query.trim()) show(query);
})();
