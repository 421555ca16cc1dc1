"""The one table of what the provider offers: name, method, path. Nothing else in the code knows a path.

Source: the provider's public reference, its OpenAPI document, and clients that were run against the live service.
The service is in beta and changes without notice: an operator can override a row by a setting, and `compare` says
where this table and the provider's own document disagree.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

MIB = 1024 * 1024
BODY_CAP = 2 * MIB
# These answers grow with the account: 10,000 machines are about 6 MB, backups are many for each machine. A cap that
# cuts them would blind the panel exactly where it is needed most; 64 MiB still stops an endless answer.
ACCOUNT_WIDE_CAP = 64 * MIB
_ACCOUNT_WIDE = frozenset({"list_instances", "list_all_backups", "list_team_instances"})
# A POST because it has a body; it changes nothing.
_READS_BY_POST = frozenset({"instance_history"})
# These may well answer without any key, so their success says nothing about ours.
_MAY_BE_PUBLIC = frozenset({"health", "list_templates", "list_available"})

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9_-]+|\{[a-z_]+\}))+")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_ID_LENGTH = 512
_TARGET_LENGTH = 8000  # what servers commonly accept in a request line

# name, method, path, evidence: D documented, P seen in public documentation or in a working client,
# I inferred from its neighbours (expect that it may be wrong).
_ROWS = (
    ("health", "GET", "/health", "DP"),
    ("list_instances", "GET", "/instances", "DP"),
    ("list_templates", "GET", "/instances/templates", "DP"),
    ("list_available", "GET", "/instances/available", "DP"),
    ("launch_instance", "POST", "/instances/launch-instance", "DP"),
    ("launch_custom", "POST", "/instances/launch-custom", "DP"),
    ("get_instance", "GET", "/instances/{id}", "DP"),
    ("delete_instance", "DELETE", "/instances/{id}", "DP"),
    ("rename_instance", "PUT", "/instances/{id}/rename", "DP"),
    ("instance_stats", "GET", "/instances/{id}/stats", "DP"),
    ("vnc_ticket", "POST", "/instances/{id}/vnc-proxy", "DI"),
    ("instance_history", "POST", "/instances/logs", "DI"),
    ("power_on", "POST", "/instances/{id}/power-on", "DP"),
    ("shutdown", "POST", "/instances/{id}/shutdown", "DP"),
    ("power_off", "POST", "/instances/{id}/power-off", "DI"),
    ("reboot", "POST", "/instances/{id}/reboot", "DP"),
    ("power_cycle", "POST", "/instances/{id}/power-cycle", "DI"),
    ("create_backup", "POST", "/instances/{id}/backups", "DI"),
    ("list_backups", "GET", "/instances/{id}/backups", "DP"),
    ("restore_backup", "POST", "/instances/{id}/restore", "DI"),
    ("list_all_backups", "GET", "/backups", "DI"),
    ("delete_backup", "DELETE", "/backups", "DI"),
    ("cross_restore", "POST", "/backups/restore", "DI"),
    ("backup_storage", "GET", "/backups/storage", "DI"),
    ("update_backup_notes", "PUT", "/backups/notes", "DI"),
    ("get_backup_schedule", "GET", "/instances/{id}/backup-schedule", "DP"),
    ("set_backup_schedule", "POST", "/instances/{id}/backup-schedule", "DP"),
    ("delete_backup_schedule", "DELETE", "/instances/{id}/backup-schedule", "DP"),
    ("list_ips", "GET", "/instances/{id}/ips", "DP"),
    ("assign_ip", "POST", "/instances/{id}/ips", "DP"),
    ("release_ip", "DELETE", "/instances/{id}/ips/{ip}", "DP"),
    ("get_firewall", "GET", "/instances/{id}/firewall", "DP"),
    ("set_firewall", "PUT", "/instances/{id}/firewall", "DP"),
    ("add_firewall_rule", "POST", "/instances/{id}/firewall/rules", "DP"),
    ("get_firewall_rule", "GET", "/instances/{id}/firewall/rules/{pos}", "DI"),
    ("delete_firewall_rule", "DELETE", "/instances/{id}/firewall/rules/{pos}", "DP"),
    ("assign_team", "POST", "/instances/{id}/team", "DI"),
    ("remove_team", "DELETE", "/instances/{id}/team", "DI"),
    ("list_team_instances", "GET", "/teams/{team_id}/instances", "DI"),
    ("list_tasks", "GET", "/tasks", "DP"),
    ("get_task", "GET", "/tasks/{id}", "DP"),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row. `is_write` belongs to the meaning and stays when an override changes the method."""

    name: str
    method: str
    path: str
    evidence: str
    is_write: bool
    body_cap_bytes: int = BODY_CAP

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(_PLACEHOLDER.findall(self.path))

    @property
    def proves_key(self) -> bool:
        """True when a success shows that the provider accepts our key."""
        return not self.is_write and self.name not in _MAY_BE_PUBLIC

    def target(self, path: Mapping[str, str | int], query: Mapping[str, str | int] | None = None) -> str:
        """Path and query, below the base URL, every value percent-encoded. Raises ValueError for an unusable id."""
        if path.keys() != self.placeholders:
            raise ValueError(f"{self.name} needs {sorted(self.placeholders)}, was given {sorted(path)}")
        filled = _PLACEHOLDER.sub(lambda found: _segment(found[1], str(path[found[1]])), self.path)
        target = f"{filled}?{urlencode(query, quote_via=quote, safe='')}" if query else filled
        if len(target) > _TARGET_LENGTH:
            raise ValueError(f"{self.name}: a value is too long for an address")
        return target


def _segment(name: str, value: str) -> str:
    # An empty id would turn "one machine" into "all machines", and dots are folded away by URL libraries
    # even when they are percent-encoded: neither may reach a path.
    if not value or len(value) > _ID_LENGTH or value in {".", ".."} or not value.isprintable():
        raise ValueError(f"not a usable {name}: {value[:40]!r}")
    return quote(value, safe="")


def _rows() -> Iterator[Endpoint]:
    for name, method, path, evidence in _ROWS:
        cap = ACCOUNT_WIDE_CAP if name in _ACCOUNT_WIDE else BODY_CAP
        yield Endpoint(name, method, path, evidence, method != "GET" and name not in _READS_BY_POST, cap)


class Endpoints(Mapping[str, Endpoint]):
    """The table, by name. Immutable; `Endpoints()` is the table as collected."""

    def __init__(self, rows: Mapping[str, Endpoint] | None = None) -> None:
        self._rows = dict(rows) if rows is not None else {row.name: row for row in _rows()}

    def __getitem__(self, name: str) -> Endpoint:
        return self._rows[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @classmethod
    def with_overrides(cls, text: str) -> "Endpoints":
        """The table with some rows replaced: `power_off=POST /instances/{id}/stop; reboot=…` (`;` or new lines).

        Raises ValueError, in words for the operator, for an unknown or repeated name, a method or a path that is
        none, and for placeholders that differ from those of the row.
        """
        rows = {row.name: row for row in _rows()}
        changed: dict[str, Endpoint] = {}
        for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
            row = _override(rows, part)
            if row.name in changed:
                raise ValueError(f"endpoint override {row.name!r} stands there twice")
            changed[row.name] = row
        return cls({**rows, **changed})


def _override(rows: Mapping[str, Endpoint], part: str) -> Endpoint:
    name, equals, wanted = (piece.strip() for piece in part.partition("="))
    method, _, path = wanted.partition(" ")
    method, path = method.upper(), path.strip()
    if not equals or name not in rows:
        raise ValueError(f"endpoint override {part!r}: no endpoint is called {name!r}")
    row = rows[name]
    if method not in _METHODS or (row.is_write and method == "GET"):
        raise ValueError(f"endpoint override {part!r}: {method!r} is no method for {name}")
    if not _PATH.fullmatch(path):
        raise ValueError(f"endpoint override {part!r}: {path!r} is no path")
    if sorted(_PLACEHOLDER.findall(path)) != sorted(row.placeholders):
        needed = " ".join(f"{{{one}}}" for one in sorted(row.placeholders)) or "no placeholder"
        raise ValueError(f"endpoint override {part!r}: the path needs exactly {needed}")
    return replace(row, method=method, path=path)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the table and the provider's document disagree; both empty means they agree."""

    unknown_rows: tuple[Endpoint, ...]
    missing_paths: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.unknown_rows or self.missing_paths)


def compare(openapi: Mapping[str, Any], endpoints: Endpoints | None = None, base_path: str = "/api/v1") -> Difference:
    """Rows that the document does not know, and `METHOD /path` of the document that the table lacks.

    Names of path parameters do not matter, and the document's paths may have `base_path` in front or not.
    Raises ValueError when `openapi` has no `paths`.
    """
    table = endpoints if endpoints is not None else Endpoints()
    paths = openapi.get("paths")
    if not isinstance(paths, Mapping):
        raise ValueError("not an OpenAPI document: it has no paths")
    theirs = dict(_operations(paths, base_path))
    ours = {_key(row.method, row.path) for row in table.values()}
    return Difference(
        unknown_rows=tuple(row for row in table.values() if _key(row.method, row.path) not in theirs),
        missing_paths=tuple(sorted(shown for key, shown in theirs.items() if key not in ours)),
    )


def _operations(paths: Mapping[str, Any], base_path: str) -> Iterator[tuple[str, str]]:
    for path, item in paths.items():
        if not isinstance(item, Mapping):
            continue
        short = path.removeprefix(base_path) if path.startswith(f"{base_path}/") else path
        for method in item:
            if str(method).upper() in _METHODS:
                yield _key(str(method).upper(), short), f"{str(method).upper()} {short}"


def _key(method: str, path: str) -> str:
    return f"{method} {re.sub(r'{[^}]*}', '{}', path).rstrip('/')}"
