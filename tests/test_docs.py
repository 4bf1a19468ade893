"""What README, CONTRIBUTING and the pages of docs/ name is there."""

from __future__ import annotations

import ast
import contextlib
import importlib
import multiprocessing
import operator
import pkgutil
import re
import sys
import textwrap
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from syncsim.core.deadlock.findings import FindingKind
from syncsim.core.deadlock.verdict import Verdict

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
#: The folders of which a path may be named.
FOLDERS = ("syncsim", "tests", "docs", "puzzles", "screenshots", ".ci")

_PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_REFERENCE_IN_FILE = re.compile(r"`([\w.]+)`,? (?:in |\()`(syncsim/[\w/]+\.py)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FILES = (".py", ".toml", ".md", ".pml", ".svg")


def prose(page: Path) -> str:
    """Return the page without its blocks of code, which show sessions and programs."""
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def spans(text: str) -> list[str]:
    """Return what stands between backticks in the text."""
    return re.findall(r"`([^`\n]+)`", text)


def is_there(path: str) -> bool:
    return (ROOT / path.rstrip("./")).exists()


# -- names of the code ---------------------------------------------------------------------


def _targets(node: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        yield from node.targets
    elif isinstance(node, ast.AnnAssign):
        yield node.target


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that the statements define, at the top."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        for target in _targets(node):
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
        if isinstance(node, ast.If | ast.Try):
            yield from _defined(node.body)


def _members(node: ast.ClassDef) -> Iterator[str]:
    """Yield the names that the class defines, and the attributes that its methods set."""
    yield from _defined(node.body)
    for inner in ast.walk(node):
        for target in _targets(inner) if isinstance(inner, ast.stmt) else ():
            if isinstance(target, ast.Attribute):
                yield target.attr


class Names(NamedTuple):
    """What a file defines: names at its top, the members of each class, and the classes' bases."""

    top: set[str]
    members: dict[str, set[str]]
    bases: dict[str, list[str]]


@cache
def names_in(file: Path) -> Names:
    body = ast.parse(file.read_text(encoding="utf-8")).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    return Names(
        set(_defined(body)),
        {node.name: set(_members(node)) for node in classes},
        {node.name: [b.id for b in node.bases if isinstance(b, ast.Name)] for node in classes},
    )


@cache
def names() -> dict[str, set[str]]:
    """Return what is defined in each module and in each class, by the name of that.

    A module goes by its dotted name in ``syncsim``, and by each end of it.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    bases: dict[str, list[str]] = {}
    for file in (ROOT / "syncsim").rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        inside = names_in(file)
        for start in range(len(parts)):
            found[".".join(parts[start:])] |= inside.top
        for start in range(len(parts) - 1):
            found[".".join(parts[start:-1])].add(parts[-1])
        for name, members in inside.members.items():
            found[name] |= members
        bases |= inside.bases
    for name in bases:
        todo = list(bases[name])
        while todo:
            base = todo.pop()
            found[name] |= found.get(base, set())
            todo += bases.get(base, [])
    return dict(found)


def is_in(reference: str, file: Path) -> bool:
    """Return whether that very file defines ``module.name`` or ``Class.name``."""
    before, _, last = reference.rpartition(".")
    inside = names_in(file)
    if before in inside.members:
        return last in inside.members[before]
    return file.stem in (before, "__init__") and last in inside.top


def is_ours(reference: str) -> bool:
    """Return whether ``module.name``, ``Class.name`` or ``module.Class.name`` is in the code."""
    before, _, last = reference.rpartition(".")
    if last in names().get(before, ()):
        return True
    outer, _, inner = before.rpartition(".")
    return inner in names().get(outer, ()) and last in names().get(inner, ())


@cache
def _library() -> tuple[object, ...]:
    modules = pkgutil.iter_modules(multiprocessing.__path__, "multiprocessing.")
    return tuple(
        importlib.import_module(module.name)
        for module in modules
        if not module.name.rpartition(".")[2].startswith(("popen", "resource"))
    )


def is_pythons(reference: str) -> bool:
    """Return whether Python's library has it, or a class of ``multiprocessing``."""
    first = reference.partition(".")[0]
    if first in sys.stdlib_module_names:
        with contextlib.suppress(ImportError, AttributeError):
            pkgutil.resolve_name(reference)
            return True
    for module in _library():
        with contextlib.suppress(AttributeError):
            operator.attrgetter(reference)(module)
            return True
    return False


def is_file(name: str) -> bool:
    """Return whether a file of the project or of Python's library is called so."""
    if not name.endswith(_FILES):
        return False
    own = Path(multiprocessing.__path__[0])
    named = (ROOT / name, own / name, own.with_name(name))
    return any(file.exists() for file in named) or any(
        any((ROOT / folder).rglob(name)) for folder in FOLDERS
    )


def unknown(text: str) -> list[str]:
    """Return the paths and dotted names in the text that are nowhere."""
    wrong = [path for path in _PATH.findall(text) if not is_there(path)]
    for span in spans(text):
        if _DOTTED.fullmatch(span):
            known = is_ours(span) or is_pythons(span) or is_file(span)
            wrong += [] if known else [span]
    return wrong


# -- tests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    assert unknown(prose(page)) == []


def test_what_is_not_there_is_noticed() -> None:
    text = "See `recorder.Recorder.effect`, `Recorder.eff`, `syncsim/core/gone.py`, `time.sleep`."
    assert unknown(text) == ["syncsim/core/gone.py", "Recorder.eff"]
    assert is_in("Recorder.effect", ROOT / "syncsim/core/recorder.py")
    assert not is_in("Recorder.effect", ROOT / "syncsim/core/state.py")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_name_is_in_the_file_that_is_said_to_have_it(page: Path) -> None:
    text = " ".join(prose(page).split())
    for reference, path in _REFERENCE_IN_FILE.findall(text):
        assert is_in(reference, ROOT / path), f"{reference} is not in {path}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_a_page_compiles(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    opened = re.findall(r"^ *```python.*$", text, flags=re.M)
    blocks = re.findall(r"^ *```python\n(.*?)^ *```$", text, flags=re.M | re.S)
    assert len(blocks) == len(opened) == text.count("```python")
    for block in blocks:
        ast.parse(textwrap.dedent(block))


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", prose(target), flags=re.M)
            assert anchor in map(slug, headings), link


def test_every_page_of_the_docs_is_linked_from_the_readme() -> None:
    readme = PAGES[0].read_text(encoding="utf-8")
    for page in PAGES[2:]:
        assert f"](docs/{page.name})" in readme


def test_the_glossary_has_every_verdict_and_finding() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert all(f"`{verdict}`" in glossary for verdict in Verdict)
    told = re.search(r"^The findings: (.+?)\.$", glossary, flags=re.M | re.S)
    assert told is not None
    assert set(" ".join(told[1].split()).split(", ")) == {str(kind) for kind in FindingKind}


def test_contributing_is_short() -> None:
    assert len(PAGES[1].read_text(encoding="utf-8").splitlines()) <= 80


def rooms_of_the_readme() -> list[tuple[list[str], list[str]]]:
    """Return each row of the README's table of rooms: its paths, and the names beside them."""
    rows = [
        line.split("|")
        for line in PAGES[0].read_text(encoding="utf-8").splitlines()
        if line.startswith("| `syncsim/")
    ]
    return [(_PATH.findall(first), spans(second)) for _, first, second, *_ in rows]


def test_what_is_said_to_be_in_a_room_is_there() -> None:
    for (path, *_), inside in rooms_of_the_readme():
        places = [ROOT, ROOT / "syncsim", ROOT / path]
        for name in inside:
            module = name.rstrip("/")
            found = [place / module for place in places] + [*(ROOT / path).rglob(f"{module}.py")]
            assert any(p.exists() or p.with_suffix(".py").exists() for p in found), (path, name)


def test_the_readme_has_every_room_in_the_order_of_the_layers() -> None:
    table = [
        path.removeprefix("syncsim/").rstrip("/").removesuffix(".py")
        for paths, _ in rooms_of_the_readme()
        for path in paths
    ]
    rooms = {
        path.stem for path in (ROOT / "syncsim").iterdir() if not path.name.startswith(("_", "py."))
    }
    assert set(table) == rooms
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    depth = {room: at for at, layer in enumerate(layers) for room in layer.split(" | ")}
    assert [depth[room] for room in table] == sorted(depth[room] for room in table)
