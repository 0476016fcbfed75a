"""Files of the repository as pages, so that a link to a function or a test shows it.

A link to a Python file leads to its page, `sources/PATH.html`, and to the place of the function
whose name is the text of the link. Without this, Sphinx would make it a download.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import normpath
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from package import ROOT, modules
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

PAGES = "sources"
END = "\0"  # where a definition ends, until all lines are joined


@cache
def definitions(path: str) -> dict[str, tuple[int, int]]:
    """Return {name: (first line, last line)} of the functions, classes and methods of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return dict(_definitions(tree.body, ""))


def _definitions(body: list[ast.stmt], before: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            yield before + node.name, (start, node.end_lineno)
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{before}{node.name}.")
        if isinstance(node, ast.Assign | ast.AnnAssign) and not before:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            for name in names:
                yield ast.unparse(name), (node.lineno, node.end_lineno)


def address(env: BuildEnvironment, docname: str, path: str, name: str = "") -> str:
    """Return the address of a file, at a definition if it has one of this name, for a page.

    The file is noted: it gets a page.
    """
    env.source_files.setdefault(docname, set()).add(path)
    anchor = f"#{name}" if name in definitions(path) else ""
    return f"{'../' * docname.count('/')}{PAGES}/{path}.html{anchor}"


class ShowFiles(SphinxTransform):
    """Links to Python files lead to their pages, each name in a link to its own place."""

    default_priority = 400  # before Sphinx notes what is to be downloaded

    def apply(self, **kwargs: Any) -> None:
        """Replace the downloads of Python files by links."""
        docname = self.env.docname
        for download in list(self.document.findall(addnodes.download_reference)):
            path = normpath(str(Path(docname).parent / download["reftarget"]))
            if path.endswith(".py") and (ROOT / path).is_file():
                download.replace_self(_links(self.env, docname, path, download))


def _links(
    env: BuildEnvironment, docname: str, path: str, download: nodes.Element
) -> list[nodes.Node]:
    """Return what a link consists of; if it names several functions, a link for each."""
    named = download.findall(nodes.literal)
    names = [literal.astext() for literal in named if literal.astext() in definitions(path)]
    whole = names[0] if len(names) == 1 else ""
    if len(names) < 2:
        uri = address(env, docname, path, whole)
        return [nodes.reference("", "", *_children(download), internal=True, refuri=uri)]
    return [
        nodes.reference(
            "", "", part, internal=True, refuri=address(env, docname, path, part.astext())
        )
        if isinstance(part, nodes.literal)
        else part
        for part in _children(download)
    ]


def _children(download: nodes.Element) -> list[nodes.Node]:
    """Return the parts of the text of a link, out of the `inline` that may be around them."""
    inner = download.children
    if len(inner) == 1 and isinstance(inner[0], nodes.inline):
        inner = inner[0].children
    return [part.deepcopy() for part in inner]


def source_role(
    name: str, rawtext: str, text: str, lineno: int, inliner: Inliner, *rest: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return the link of :source:`name <file>`."""
    title, _, path = text.rstrip(">").partition(" <")
    env = inliner.document.settings.env
    uri = address(env, env.docname, path, title)
    literal = nodes.literal("", title)
    return [nodes.reference("", "", literal, internal=True, refuri=uri)], []


def link_signatures(app: Sphinx, document: nodes.document) -> None:
    """Add a link to the source to each function, class and method of the reference."""
    files = {module.name: module.path for module in modules()}
    for signature in document.findall(addnodes.desc_signature):
        if signature.get("module") in files:
            path, name = files[signature["module"]], signature["fullname"]
            if name in definitions(path):
                uri = address(app.env, app.env.docname, path, name)
                text = nodes.inline("", "source")
                signature += nodes.reference(
                    "", "", text, internal=True, refuri=uri, classes=["source-link"]
                )


def write_pages(app: Sphinx, error: Exception | None) -> None:
    """Write the page of every file that a page has a link to."""
    if error is not None:
        return
    references = {module.path: f"reference/{module.name}" for module in modules()}
    for path in set().union(*app.env.source_files.values()):
        reference = references.get(path)
        page = Path(app.outdir) / PAGES / f"{path}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        context = {
            "path": path,
            "up": "../" * (path.count("/") + 1),
            "reference": reference if reference in app.env.found_docs else "",
            "code": highlighted(app, path),
            "project": app.config.project,
        }
        page.write_text(app.builder.templates.render("source.html", context), encoding="utf-8")


def highlighted(app: Sphinx, path: str) -> str:
    """Return the highlighted text of a file, in which each definition is a place of its own."""
    text = (ROOT / path).read_text(encoding="utf-8").rstrip("\n")
    html = app.builder.highlighter.highlight_block(text, "python", linenos=False)
    lines = ["", *re.search(r"<pre>(.*)</pre>", html, flags=re.DOTALL)[1].split("\n")]
    for name, (first, last) in definitions(path).items():
        lines[first] = f'<span class="definition" id="{name}">{lines[first]}'
        lines[last] += END
    # A definition is a block of the page: the end of its last line is inside it.
    ends = re.compile(f"({END}+)\n?")
    return ends.sub(lambda end: "\n" + "</span>" * len(end[1]), "\n".join(lines[1:]))


def begin(app: Sphinx) -> None:
    """Begin to note the files that pages have links to."""
    app.env.source_files = getattr(app.env, "source_files", {})


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget the links of a page that is read again."""
    getattr(env, "source_files", {}).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment) -> None:
    """Add what another process has noted."""
    env.source_files |= {
        page: files for page, files in other.source_files.items() if page in docnames
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Show files instead of downloading them."""
    app.config.templates_path.append("templates")
    app.add_role("source", source_role)
    app.add_transform(ShowFiles)
    app.connect("builder-inited", begin)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-read", link_signatures)
    app.connect("build-finished", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
