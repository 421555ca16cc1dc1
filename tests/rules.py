"""Our own rules (reliability.md 7, design.md): `python -m tests.rules` names every line that breaks one."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
OUTBOUND = {"httpx", "requests", "urllib.request", "aiohttp"}
# They may speak HTTP to the provider, or import the names of its errors.
CLIENT = {"cloud/client.py", "cloud/calls.py", "cloud/transport.py", "cloud/connect.py", "cloud/deadline.py"}
# The client and what stands below it: usable without Django.
BELOW_DJANGO = CLIENT - {"cloud/connect.py"} | {
    "cloud/endpoints.py",
    "cloud/errors.py",
    "cloud/error_bodies.py",
    "cloud/budget.py",
    "cloud/breaker.py",
    "cloud/parts.py",
}
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|DROP|ALTER|CREATE)\s", re.IGNORECASE)
SQL_CALLS = {"execute", "executemany", "raw", "extra", "RawSQL"}


@dataclass(frozen=True)
class Source:
    """One file of ours: its path from the root, and its tree."""

    path: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """`panel/fleet` for panel/fleet/views.py."""
        return self.path.rsplit("/", 1)[0]

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of everything imported; `from a import b` counts as `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


Breaches = Iterator[tuple[int, str]]


def roles_stay_in_the_policy(source: Source) -> Breaches:
    if source.room.startswith("panel/teams"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in {"Role", "ROLES"}:
            yield node.lineno, "roles are compared in panel/teams alone: ask the policy for a permission"
        if isinstance(node, ast.Compare) and any(_names_a_role(part) for part in (node.left, *node.comparators)):
            yield node.lineno, "roles are compared in panel/teams alone: ask the policy for a permission"


def _names_a_role(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "role"


def one_way_out(source: Source) -> Breaches:
    if source.path in CLIENT or source.path.startswith("cloud/sandbox/"):
        return
    for line, name in source.imports():
        if any(_is_or_in(name, way) for way in OUTBOUND):
            yield line, f"{name}: only the client speaks to the world"


def arrows_go_one_way(source: Source) -> Breaches:
    is_sandbox = source.path.startswith("cloud/sandbox/")
    for line, name in source.imports():
        names_sandbox = _is_or_in(name, "cloud.sandbox")
        if source.path.startswith("cloud/") and _is_or_in(name, "panel"):
            yield line, f"{name}: cloud/ knows nothing of panel/"
        if is_sandbox and _is_or_in(name, "cloud") and not names_sandbox:
            yield line, f"{name}: the sandbox imports nothing of the rest"
        if not is_sandbox and names_sandbox:
            yield line, f"{name}: nothing imports the sandbox; it is a process of its own"
        if (source.path in BELOW_DJANGO or source.room == "cloud/shapes") and _is_or_in(name, "django"):
            yield line, f"{name}: the client and below import no Django"


def no_area_imports_anothers_views(source: Source) -> Breaches:
    for line, name in source.imports():
        found = re.match(r"panel\.(\w+)\.views", name)
        if found and source.room != f"panel/{found[1]}":
            yield line, f"{name}: an area does not import another area's views"


def nothing_is_marked_safe(source: Source) -> Breaches:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _called(node) in {"mark_safe", "SafeString", "SafeText"}:
            yield node.lineno, f"{_called(node)}: provider strings are hostile; use format_html or a template"


def sql_is_written_out(source: Source) -> Breaches:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _called(node) in SQL_CALLS and any(map(_is_pieced_sql, node.args)):
            yield node.lineno, "SQL is never put together from pieces: pass parameters"


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_pieced_sql(node: ast.expr) -> bool:
    pieces = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return isinstance(node, ast.JoinedStr | ast.BinOp) and bool(SQL.search(" ".join(pieces)))


def _is_or_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


RULES: tuple[Callable[[Source], Breaches], ...] = (
    roles_stay_in_the_policy,
    one_way_out,
    arrows_go_one_way,
    no_area_imports_anothers_views,
    nothing_is_marked_safe,
    sql_is_written_out,
)


def breaches(path: str, text: str) -> list[str]:
    """Every breach in one Python file, as `path:line: words`."""
    source = Source(path, ast.parse(text))
    return [f"{path}:{line}: {words}" for rule in RULES for line, words in rule(source)]


def template_breaches(path: str, text: str) -> list[str]:
    lines = enumerate(text.splitlines(), start=1)
    unsafe = re.compile(r"\|\s*safe\b|\{%\s*autoescape\s+off|\bon\w+=[\"']|<script(?![^>]*\bsrc=)[^>]*>|\sstyle=[\"']")
    return [f"{path}:{n}: nothing is marked safe, nothing is inline" for n, line in lines if unsafe.search(line)]


def main() -> int:
    found: list[str] = []
    for folder in ("cloud", "panel"):
        for file in sorted((BASE / folder).rglob("*.py")):
            found += breaches(str(file.relative_to(BASE)), file.read_text())
    for file in sorted((BASE / "templates").rglob("*.html")):
        found += template_breaches(str(file.relative_to(BASE)), file.read_text())
    sys.stderr.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
