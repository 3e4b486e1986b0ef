"""The rules of the house: who may import whom, how large a module and a function may be."""

import ast
import functools
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "hub"
STAGES = ["ingest", "rules", "alerts", "notify"]
LEAVES = {"expressions", "store"}
PATHS = sorted(ROOT.rglob("*.py"))
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree):
    """Yield (module, line, inside a function) for each import of hub.*"""
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, FUNCTION) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "hub":
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in NAMES else node.module), node.lineno, id(node) in inside
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "hub":
                    yield alias.name, node.lineno, id(node) in inside


NAMES = {name(path) for path in PATHS}


@functools.cache  # here, not at import: each worker of a run imports this, and one runs these tests
def tree_of(path):
    return ast.parse(path.read_text("utf-8"))


def trees():
    return [(path, tree_of(path)) for path in PATHS]


@functools.cache
def graph():
    return {name(path): {m for m, _, _ in imports(tree)} - {name(path)} for path, tree in trees()}


def part(module):
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else ""


def test_no_stage_imports_a_later_stage_and_nobody_but_app_imports_them_all():
    wrong = []
    for module, targets in graph().items():
        here = part(module)
        for target in targets:
            there = part(target)
            if here in STAGES and there in STAGES and STAGES.index(there) > STAGES.index(here):
                wrong.append(f"{module} imports the later stage {target}")
            if here in LEAVES and (there in STAGES or there in LEAVES - {here}):
                wrong.append(f"the leaf {module} imports {target}")
            if there == "operate" and here not in ("operate", "__main__"):
                wrong.append(f"{module} imports {target}: nobody imports operate")
            if there == "app" and here not in ("operate", "__main__"):
                wrong.append(f"{module} imports {target}: only operate starts the app")
    assert not wrong, "\n".join(wrong)


def test_imports_have_no_circle():
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module in done:
            return
        path.append(module)
        for target in sorted(graph().get(module, ())):
            visit(target)
        path.pop()
        done.add(module)

    for module in sorted(graph()):
        visit(module)


ROUND = {}
"""Circles of packages that are allowed, each as a sorted tuple of their names, and why: there is none."""


def test_packages_do_not_import_each_other_in_a_circle():
    packages = {}
    for module, targets in graph().items():
        packages.setdefault(part(module), set()).update(part(target) for target in targets)

    def below(here):
        found, wanted = set(), list(packages[here])
        while wanted:
            if (each := wanted.pop()) not in found:
                found.add(each)
                wanted += packages.get(each, ())
        return found - {here}

    deep = {each: below(each) for each in packages}
    circles = {
        tuple(sorted({a, *(b for b in deep[a] if a in deep[b])})) for a in deep if any(a in deep[b] for b in deep[a])
    }
    assert circles == set(ROUND), "move the small piece that makes the circle to where both may find it"


def test_nobody_outside_the_store_sees_its_database():
    inner = {"hub.store.sqlite.database", "hub.store.sqlite.lock"}
    allowed = {
        ("hub.operate.doctor.machine", "sqlite3"),  # tells SQLite's version
        ("hub.operate.doctor.state_check", "hub.store.sqlite.lock"),  # what a path is, before it is opened
        ("hub.operate.doctor.unheard_topics", "hub.store.sqlite.lock"),
    }
    seen = set()
    for path, tree in trees():
        if part(name(path)) == "store":
            continue
        plain = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
        seen |= {(name(path), each) for each in (graph()[name(path)] & inner) | (plain & {"sqlite3"})}
    assert seen == allowed


def test_modules_and_functions_keep_to_their_band():
    sizes = {name(p): len(p.read_text("utf-8").splitlines()) for p in PATHS}
    lengths = {
        f"{name(p)}.{n.name}": n.end_lineno - n.lineno + 1
        for p, tree in trees()
        for n in ast.walk(tree)
        if isinstance(n, FUNCTION)
    }
    assert not {m: n for m, n in sizes.items() if n > 600}
    assert not {f: n for f, n in lengths.items() if n > 60}
    assert statistics.median(sizes.values()) <= 150
    assert statistics.quantiles(sizes.values(), n=10)[-1] <= 400
    assert statistics.median(lengths.values()) <= 8


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_a_module_says_where_it_stands_and_has_no_global_bare_except_or_unexplained_inner_import(path):
    tree, lines = tree_of(path), path.read_text("utf-8").splitlines()
    assert ast.get_docstring(tree), "a module starts with a paragraph that says where it stands in the flow"
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Global), f"line {node.lineno}: global"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"line {node.lineno}: bare except"
    inside = {
        n.lineno: n
        for f in ast.walk(tree)
        if isinstance(f, FUNCTION)
        for n in ast.walk(f)
        if isinstance(n, ast.Import | ast.ImportFrom)
    }
    for line in inside:
        assert "#" in lines[line - 1], f"line {line}: an import inside a function gives its reason beside it"


PLUGS = ("hub/notify/receivers/", "hub/sources/kinds/")
"""A queue is a receiver and a source, each a file of the queue's name: whoever looks for one looks in its folder."""
FULL = {"hub/operate/cli": "a file for each command, named in COMMANDS, and the options that they share"}
"""Folders with more than twelve modules, and why."""


def inside(path):
    return path.relative_to(ROOT.parent).as_posix()


def more_than_once(pairs):
    found = {}
    for word, where in pairs:
        found.setdefault(word, []).append(where)
    return {word: places for word, places in found.items() if len(places) > 1}


def test_the_name_of_a_public_class_stands_once():
    classes = [
        (node.name, name(path))
        for path, tree in trees()
        if not inside(path).startswith(PLUGS)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert not more_than_once(classes), "grep and a debugger's <Name …> must answer with one thing"


def test_the_name_of_a_module_stands_once():
    modules = [
        (path.stem, inside(path))
        for path in PATHS
        if not inside(path).startswith(PLUGS) and path.stem not in ("__init__", "__main__")
    ]
    assert not more_than_once(modules), "a module's name says which it is, in a traceback and in an editor's tabs"


def test_a_folder_holds_at_most_twelve_loose_modules():
    loose = {}
    for path in PATHS:
        if path.stem not in ("__init__", "__main__"):
            loose.setdefault(path.parent.relative_to(ROOT.parent).as_posix(), []).append(path.stem)
    large = {folder: len(stems) for folder, stems in loose.items() if len(stems) > 12}
    assert set(large) == set(FULL), "who comes new finds a thing by its folder"


def test_no_parameter_is_dropped_with_del():
    wrong = []
    for path, tree in trees():
        for function in (node for node in ast.walk(tree) if isinstance(node, FUNCTION)):
            given = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
            for node in function.body:
                if isinstance(node, ast.Delete):
                    names = {each.id for each in node.targets if isinstance(each, ast.Name)} & given
                    wrong += [f"{name(path)}.{function.name}: del {each}" for each in names]
    assert not wrong, "the signature is wrong, not the linter"
