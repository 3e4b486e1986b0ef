"""Draws which part of hub/ stands on which, from the imports, into docs/architecture.md: `python -m tools.picture`.

A part is a package of hub/, or a module beside them that stands on a package (`app`, `config` …). What stands on none
(`model`, `limits`, `errors`, `clock` …) is the ground under all of them and is left out. An arrow that others imply is
left out, too; a test fails when the picture in the page is not the one that the imports give.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
BETWEEN = re.compile(r"(<!-- picture: made by tools/picture\.py -->\n).*?(<!-- end of the picture -->)", re.DOTALL)


def part_of(path: Path, hub: Path) -> str:
    """Name the part that a file below `hub` belongs to."""
    return path.relative_to(hub).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of each import of hub.*, of what is imported from it too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def arrows(hub: Path) -> dict[str, set[str]]:
    """Return the parts that each part imports; `hub/__init__` and `hub/__main__` are nobody's part."""
    found: dict[str, set[str]] = {}
    for path in sorted(hub.rglob("*.py")):
        if (here := part_of(path, hub)) not in ("__init__", "__main__"):
            found.setdefault(here, set())
            for name in imported(ast.parse(path.read_text("utf-8"))):
                top, _, rest = name.partition(".")
                if top == "hub" and (there := rest.partition(".")[0]) != here:
                    found[here].add(there)
    return {here: there & found.keys() for here, there in found.items()}


def standing(graph: dict[str, set[str]], packages: set[str]) -> dict[str, set[str]]:
    """Keep the packages and what stands on one, however far below."""
    kept = {part for part in graph if part in packages or below(graph, part) & packages}
    return {part: graph[part] & kept for part in graph if part in kept}


def below(graph: dict[str, set[str]], part: str) -> set[str]:
    """Return all that a part stands on, itself not among it unless there is a circle."""
    found: set[str] = set()
    wanted = list(graph[part])
    while wanted:
        if (each := wanted.pop()) not in found:
            found.add(each)
            wanted += graph[each]
    return found


def plain(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out each arrow whose end other arrows reach as well, one after the other: in a circle some must stay."""
    left = {part: set(there) for part, there in graph.items()}
    for part in sorted(left):
        for each in sorted(left[part]):
            left[part].discard(each)
            if each not in below(left, part):
                left[part].add(each)
    return left


def drawn(graph: dict[str, set[str]], packages: set[str]) -> str:
    """Return the picture in Mermaid's words; packages are boxes, single modules are rounded."""
    lines = ["```mermaid", "flowchart TD"]
    lines += [f"  {part}[{part}]" if part in packages else f"  {part}({part})" for part in sorted(graph)]
    lines += [f"  {part} --> {each}" for part in sorted(graph) for each in sorted(graph[part])]
    return "\n".join([*lines, "```\n"])


def picture(hub: Path = ROOT / "hub") -> str:
    """Return the picture of the code as it is."""
    packages = {path.parent.name for path in hub.glob("*/__init__.py")}
    return drawn(plain(standing(arrows(hub), packages)), packages)


def main() -> None:
    """Put the picture into the page."""
    text = PAGE.read_text("utf-8")
    PAGE.write_text(BETWEEN.sub(lambda found: found[1] + picture() + found[2], text), "utf-8")


if __name__ == "__main__":
    main()
