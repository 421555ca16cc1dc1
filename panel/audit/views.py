"""The record on a page: who did what to what, when, from where, and what came of it."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from cloud.clock import system_clock
from panel.audit import export as lines
from panel.audit import record, verification, words
from panel.audit.models import Entry, Outcome
from panel.audit.queries import KINDS, Wish, visible_entries
from panel.fleet.queries import visible_instances
from panel.http import PanelRequest, page_or_part, signed_in
from panel.teams import policy
from panel.teams.models import Team
from panel.teams.policy import Actor, Permission

FORMS = {"csv": ("text/csv; charset=utf-8", lines.csv_lines), "jsonl": ("application/x-ndjson", lines.json_lines)}
MOST_TEAMS = 200


@require_safe
@signed_in
def home(request: PanelRequest) -> HttpResponse:
    _require(request.actor, Permission.RECORD_VIEW)
    wish = Wish.read(request.GET)
    found, more = wish.page(visible_entries(request.actor))
    opened = request.GET.get("open", "")
    teams = _teams(request.actor)
    context = {
        "wish": wish,
        "rows": _shown(request.actor, found, opened, dict(teams)),
        "more": more,
        "teams": teams,
        "kinds": [(kind, words.KIND_WORDS[kind]) for kind in KINDS],
        "results": [(one.value, words.RESULTS[one.value][1]) for one in Outcome],
        "verification": verification.latest(),
        "may_export": _may(request.actor, Permission.RECORD_EXPORT),
        "sees_all": policy.allowed(request.actor, Permission.RECORD_VIEW_ALL),
        "here": wish.address(before=wish.before),
    }
    return page_or_part(request, "audit/home.html", context)


@require_safe
@signed_in
def export(request: PanelRequest, form: str) -> StreamingHttpResponse:
    """What the filters show, as lines; that it was downloaded stands on the record too."""
    _require(request.actor, Permission.RECORD_EXPORT)
    if form not in FORMS:
        raise Http404
    wish = Wish.read(request.GET)
    rows = wish.narrow(visible_entries(request.actor, Permission.RECORD_EXPORT))
    with transaction.atomic():
        asked = {"filters": wish.address().removeprefix("?"), "form": form}
        record.append("record.exported", actor=request.actor, detail=asked)
    kind, write = FORMS[form]
    return _streamed(write(rows), kind, f"tidepool-record.{form}")


@require_POST
@signed_in
def check(request: PanelRequest) -> HttpResponse:
    _require(request.actor, Permission.RECORD_VIEW)
    verification.ask(actor=request.actor, now=system_clock())
    return redirect("audit:home")


def _streamed(rows: Iterator[str], kind: str, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(rows, content_type=kind, headers=headers)


def _may(actor: Actor, permission: Permission) -> bool:
    return any(policy.allowed(actor, each) for each in (permission, Permission.RECORD_VIEW_ALL))


def _require(actor: Actor, permission: Permission) -> None:
    if not _may(actor, permission):
        raise PermissionDenied(permission)


def _teams(actor: Actor) -> list[tuple[int, str]]:
    rows = Team.objects.order_by("name")
    if not policy.allowed(actor, Permission.RECORD_VIEW_ALL):
        rows = rows.filter(pk__in=actor.teams_with(Permission.RECORD_VIEW))
    return list(rows.values_list("pk", "name")[:MOST_TEAMS])


def _shown(actor: Actor, found: Any, opened: str, teams: dict[int, str]) -> list[dict[str, Any]]:
    """Each as the table prints it; the opened one with all that is known. One query for which machines have a page."""
    machines = [int(row.target_id) for row in found if row.target_kind == "instance" and row.target_id.isdecimal()]
    seen = set(visible_instances(actor).filter(pk__in=machines).values_list("pk", flat=True))
    return [_row(row, row.sequence == _number(opened), seen, teams) for row in found]


def _row(row: Entry, is_open: bool, seen: set[int], teams: dict[int, str]) -> dict[str, Any]:
    what, look, word = words.told(row)
    is_machine = row.target_kind == "instance" and row.target_id.isdecimal() and int(row.target_id) in seen
    shown: dict[str, Any] = {
        "row": row,
        "what": what,
        "look": look,
        "word": word,
        "team": "" if row.target_kind == "team" else row.team_label or teams.get(row.team_id or 0, ""),
        "machine_id": int(row.target_id) if is_machine else None,
        "is_open": is_open,
    }
    if is_open:
        detail = row.details
        shown |= {"changes": words.changes(detail), "facts": words.facts(detail)}
    return shown


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
