"""The glossary: every term is in the place that it leads to, and in the index."""

import re
from html import unescape

from chapter_files import ROOT, TEXTS

TEXT = (ROOT / "site" / "glossary.md").read_text(encoding="utf-8")
CHAPTERS = {path.stem: path.read_text(encoding="utf-8").lower() for path in TEXTS}


def entries() -> list[tuple[list[str], str, str]]:
    """Return (the names of a term, its sentence, its chapter) for each term."""
    block = TEXT.split("```{glossary}\n")[1].split("\n```")[0]
    found = []
    for entry in block.split("\n\n"):
        lines = entry.split("\n")
        names = [line for line in lines if not line.startswith(" ")]
        [chapter] = re.findall(r"\]\(\.\./chapters/(\w+)\.ipynb#[\w-]+\)", entry)
        found.append((names, lines[len(names)].strip(), chapter))
    return found


def test_there_is_a_sentence_for_each_of_many_terms():
    terms = entries()
    assert len(terms) >= 80
    for names, sentence, _ in terms:
        assert sentence[0].isupper() and sentence.endswith("."), names


def test_a_term_occurs_in_the_chapter_that_it_leads_to():
    for names, _, chapter in entries():
        stems = [[word[:5] for word in name.lower().split()] for name in names]
        assert any(all(stem in CHAPTERS[chapter] for stem in words) for words in stems), names


def test_a_symbol_has_an_equation_in_which_it_occurs():
    table = TEXT.split("## Symbols")[1].split("## Terms")[0]
    rows = re.findall(r"^\| (\$.*) \| .* \| (.*) \|$", table, flags=re.MULTILINE)
    assert len(rows) > 40
    for _, where in rows:
        for number in re.findall(r"\((\d+\.\d+)\)", where):
            assert any(rf"\tag{{{number}}}" in text for text in CHAPTERS.values()), where
        assert re.search(r"\(\d+\.\d+\)", where)


def test_every_term_is_in_the_index_which_every_page_leads_to(built_site):
    index = unescape((built_site / "genindex.html").read_text(encoding="utf-8"))
    for names, _, _ in entries():
        for name in names:
            assert f">{name}</a>" in index or f"<strong>{name}</strong>" in index, name
    for page in ("index.html", "chapters/06_why_it_forgets.html", "site/glossary.html"):
        assert "genindex.html" in (built_site / page).read_text(encoding="utf-8")
