"""The reference: a page for each module of the package, made from its docstrings, and an overview.

The pages are written to `reference/` before Sphinx reads its files. Git does not see them. A page
says of each function what its docstring says, its equations and tests from the recaps of the
chapters, and the chapters that build or use it.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from book import chapters
from docstrings import code, first_line, indented, inline, plain, to_rst
from docutils import nodes
from package import FOLDER, Member, Module, modules, places, resolve
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PAGES = "reference"


def link(module: Module, text: str) -> str:
    """Return a link for what a docstring of this module names in backticks, or code."""
    name, _, method = text.removesuffix("()").partition(".")
    names = {member.name for member in module.members}
    place = module.name if name in names else resolve(name, near=module.folder)
    if text.endswith(".py"):
        found = _file(module, text)
        return f":doc:`{text} </{PAGES}/{found}>`" if found else code(text)
    if place and (not method or method in _methods(place, name)):
        return f":py:obj:`{text} <{place}.{name}{'.' * bool(method)}{method}>`"
    return code(text)


def _file(module: Module, text: str) -> str:
    """Return the name of the module in this file, seen from the folder of `module` or above it."""
    name = text.removesuffix(".py").replace("/", ".")
    known = {other.name for other in modules()}
    folder = module.folder
    while folder:
        if f"{folder}.{name}" in known:
            return f"{folder}.{name}"
        folder = folder.rpartition(".")[0]
    return ""


def _methods(place: str, name: str) -> set[str]:
    [module] = [module for module in modules() if module.name == place]
    [member] = [member for member in module.members if member.name == name]
    return {method.name for method in member.methods}


def module_page(module: Module) -> str:
    """Return the page of a module."""
    lines = [":orphan:", "", *_title(plain(module.name), "="), f".. py:module:: {module.name}", ""]
    lines += [f":doc:`Reference <index>` / {_folder_link(module.folder)}", ""]
    lines += to_rst(module.doc, partial(link, module))
    if module.members:
        lines += [f"Import from {code(module.folder)}.", ""]
    for member in module.members:
        lines += _member(module, member, f"{module.name}.{member.name}")
    return "\n".join(lines) + "\n"


def _member(module: Module, member: Member, full: str) -> list[str]:
    """Return the lines of a function, class or value, and of the methods of a class."""
    shown = {"data": ("", member.signature), "property": ("", "")}
    signature, value = shown.get(member.kind, (member.signature, ""))
    lines = [f".. py:{member.kind}:: {member.name}{signature}"]
    if member.name.startswith("__"):
        lines += ["   :no-index-entry:"]
    if member.kind == "property":
        lines += [f"   :type: {member.signature}"]
    if value and len(value) < 70:
        lines += [f"   :value: {value}"]
    body = to_rst(member.doc, partial(link, module))
    body += _fields(module, member)
    body += _in_the_book(full) + _tests(full)
    for method in member.methods:
        body += _member(module, method, f"{full}.{method.name}")
    return [*lines, "", *indented(body, 3), ""]


def _fields(module: Module, member: Member) -> list[str]:
    """Return a table of the fields of a class with their types and comments."""
    if not member.fields:
        return []
    rows = [
        f"* - {code(field.name)}\n  - {code(field.type)}\n"
        f"  - {inline(field.comment, partial(link, module))}".rstrip()
        for field in member.fields
    ]
    table = [".. list-table::", "   :class: fields", ""]
    return [*table, *indented("\n".join(rows).split("\n"), 3), ""]


@cache
def _told() -> dict[str, dict[str, Any]]:
    """Return what the chapters say of each full name: where it is derived, built, used, tested."""
    told: dict[str, dict[str, Any]] = defaultdict(lambda: defaultdict(dict))
    for chapter in chapters():
        for name in chapter.built:
            told[name]["built"][chapter.number] = chapter.docname
        for name in chapter.used - chapter.built:
            told[name]["used"][chapter.number] = chapter.docname
        for row in chapter.rows:
            for name in row.functions:
                told[name]["equations"] |= dict.fromkeys(row.equations)
                told[name]["tests"] |= dict.fromkeys(row.tests)
    return told


def _in_the_book(full: str) -> list[str]:
    """Return the section with the equations of a function and the chapters that have it."""
    told = _told().get(full, {})
    parts = []
    if told.get("equations"):
        numbers = list(told["equations"])
        word = "equation" if len(numbers) == 1 else "equations"
        parts.append(f"derived in {word} {', '.join(f'({number})' for number in numbers)}")
    for verb in ("built", "used"):
        if told.get(verb):
            word = "chapter" if len(told[verb]) == 1 else "chapters"
            links = (f":doc:`{number} </{doc}>`" for number, doc in told[verb].items())
            parts.append(f"{verb} in {word} {', '.join(links)}")
    return [":In the book:", f"    {'; '.join(parts)}.", ""] if parts else []


def _tests(full: str) -> list[str]:
    """Return the section with the tests that the chapters name for a function."""
    tests = _told().get(full, {}).get("tests", {})
    links = [f":source:`{name} <{file}>`" for name, file in tests]
    return [":Tests:", f"    {', '.join(links)}", ""] if links else []


def overview() -> str:
    """Return the page that lists every function with its first line, folder by folder."""
    lines = ["Reference", "=========", ""]
    lines += [
        "Everything that the package gives, folder by folder, with the first line of its help. "
        "A name leads to its arguments, shapes, errors and source, to the equations that it is, "
        "and to the chapters that derive, build or use it.",
        "",
    ]
    folders: dict[str, list[Module]] = defaultdict(list)
    for module in modules():
        folders[module.folder].append(module)
    for folder, inside in sorted(folders.items(), key=lambda item: _rank(item[0])):
        title = folder.removeprefix(f"{FOLDER}.")
        lines += [f".. _folder-{folder}:", "", *_title(plain(title), "-")]
        for module in inside:
            lines += _listed(module)
    return "\n".join(lines) + "\n"


def _rank(folder: str) -> tuple[int, str]:
    """Return the place of a folder in the map that the help of the package shows."""
    name = f"{folder}.".split(".")[1]
    [package] = [module for module in modules() if module.name == FOLDER]
    return package.doc.find(f"\n    {name} ") if name else -1, folder


def _listed(module: Module) -> list[str]:
    about = first_line(module.doc) if module.members else ""
    if not module.members:  # the face of a folder: what its help says
        return to_rst(module.doc, partial(link, module))
    name = module.name.rpartition(".")[2]
    lines = [
        f".. rubric:: {plain(name)}",
        "   :heading-level: 3",
        "",
        f":doc:`{module.name} <{module.name}>`. {inline(about, partial(link, module))}",
        "",
    ]
    lines += [".. rst-class:: first-lines", ""]
    for member in module.members:
        lines += [
            f":py:obj:`{member.name} <{module.name}.{member.name}>`",
            f"   {inline(first_line(member.doc), partial(link, module)) or '…'}",
        ]
    return [*lines, ""]


def _folder_link(folder: str) -> str:
    return f":ref:`{folder.removeprefix(f'{FOLDER}.')} <folder-{folder}>`"


def _title(text: str, line: str) -> list[str]:
    return [text, line * len(text), ""]


def pages() -> Iterator[tuple[str, str]]:
    """Yield (name of the file, text) of every page."""
    yield "index.rst", overview()
    for module in modules():
        if module.members:
            yield f"{module.name}.rst", module_page(module)


def write_pages(app: Sphinx) -> None:
    """Write the pages that have changed, and remove those of modules that are gone."""
    folder = Path(app.srcdir) / PAGES
    folder.mkdir(exist_ok=True)
    wanted = dict(pages())
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.name not in wanted:
            path.unlink()


class LinkNames(SphinxTransform):
    """In a chapter, the name of a function that it builds or uses leads to the reference.

    Once in each part of the chapter: more links would make it hard to read.
    """

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Change the page."""
        for chapter in chapters():
            if chapter.docname == self.env.docname:
                names = {full.rpartition(".")[2]: full for full in chapter.built | chapter.used}
                for part in self.document.findall(_is_part):
                    _link_names(part, names, "../" * chapter.docname.count("/"))


def _is_part(node: nodes.Node) -> bool:
    return isinstance(node, nodes.section) and isinstance(node.parent.parent, nodes.document)


def _link_names(part: nodes.section, names: dict[str, str], up: str) -> None:
    """Make a link of the first mention of each name in a part of a chapter."""
    linked = set()
    for literal in list(part.findall(nodes.literal)):
        name = literal.astext().removesuffix("()")
        if name in names and name not in linked and not _is_inside_link(literal):
            linked.add(name)
            place = names[name].rpartition(".")[0]
            uri = f"{up}{PAGES}/{place}.html#{names[name]}"
            link = nodes.reference("", "", literal.deepcopy(), internal=True, refuri=uri)
            literal.replace_self(link)


def _is_inside_link(node: nodes.Node) -> bool:
    around = node.parent
    while around is not None:
        if isinstance(around, nodes.reference | nodes.title | addnodes.download_reference):
            return True
        around = around.parent
    return False


def find_types(app: Sphinx, document: nodes.document) -> None:
    """Give the types in signatures their full names, by which Sphinx finds them."""
    for node in document.findall(addnodes.pending_xref):
        if node["refdomain"] == "py" and node["reftarget"] in places():
            folder = (node.get("py:module") or "").rpartition(".")[0]
            module = resolve(node["reftarget"], near=folder)
            node["reftarget"] = f"{module}.{node['reftarget']}" if module else ""


def list_modules(app: Sphinx, page: str, template: str, context: dict, document: Any) -> None:
    """Give the side bar of a page of the reference the modules of its folder."""
    here = [module for module in modules() if f"{PAGES}/{module.name}" == page]
    for module in here:
        inside = [m for m in modules() if m.folder == module.folder and m.members]
        context["reference_folder"] = module.folder
        context["reference_modules"] = [
            (m.name.rpartition(".")[2], f"{PAGES}/{m.name}") for m in inside
        ]


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages, and find the types of the signatures."""
    app.config.include_patterns.append(f"{PAGES}/*.rst")
    app.add_css_file("reference.css")
    app.config.templates_path.append("templates")
    # A side bar of its own: that of the chapters, on every page, takes as long as all the rest.
    bar = ["navbar-logo.html", "icon-links.html", "search-button-field.html", "reference-nav.html"]
    app.config.html_sidebars[f"{PAGES}/{FOLDER}.*"] = bar
    app.config.add_module_names = False
    app.config.toc_object_entries_show_parents = "hide"
    app.add_transform(LinkNames)
    app.connect("builder-inited", write_pages)
    app.connect("doctree-read", find_types)
    app.connect("html-page-context", list_modules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
