"""Entries narrowed by who asks, and by what the address asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date

from panel.audit.models import Entry, Outcome
from panel.teams import policy
from panel.teams.policy import Actor, Permission

PAGE = 50
# What kinds of entries can be asked for: a word in the address, and the beginnings of codes.
KINDS: dict[str, tuple[str, ...]] = {
    "machines": ("instance.",),
    "approvals": ("instance.",),
    "people": ("person.", "installation."),
    "teams": ("team.",),
    "keys": ("team.ssh_key.", "person.ssh_key.", "account.key."),
    "accounts": ("account.",),
    "record": ("record.",),
    "refused": ("access.",),
}
APPROVALS = ("approved", "rejected")


def visible_entries(actor: Actor, permission: Permission = Permission.RECORD_VIEW) -> QuerySet[Entry]:
    """Of the actor's teams, or all."""
    if policy.allowed(actor, Permission.RECORD_VIEW_ALL):
        return Entry.objects.all()
    return Entry.objects.filter(team_id__in=actor.teams_with(permission))


@dataclass(frozen=True)
class Wish:
    """What the address bar asks for; nonsense in it asks for nothing. `before` is where an older page begins."""

    person: str = ""
    team: str = ""
    machine: str = ""
    kind: str = ""
    result: str = ""
    since: str = ""
    until: str = ""
    before: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> "Wish":
        said = {name: query.get(name, "").replace("\0", "").strip()[:100] for name in cls.__dataclass_fields__}
        wish = cls(**said)
        return replace(
            wish,
            team=wish.team if _is_number(wish.team) else "",
            kind=wish.kind if wish.kind in KINDS else "",
            result=wish.result if wish.result in Outcome.values else "",
            since=wish.since if _day(wish.since) else "",
            until=wish.until if _day(wish.until) else "",
            before=wish.before if _is_number(wish.before) else "",
        )

    @property
    def is_narrowed(self) -> bool:
        return replace(self, before="") != Wish()

    def address(self, **changes: Any) -> str:
        """The query part of the address with some values changed; any change begins at the newest."""
        wish = replace(self, **({"before": ""} | changes))
        parts = {name: getattr(wish, name) for name in self.__dataclass_fields__}
        return "?" + urlencode({name: value for name, value in parts.items() if value})

    def narrow(self, rows: QuerySet[Entry]) -> QuerySet[Entry]:
        if self.person:
            rows = rows.filter(Q(actor_label__iexact=self.person) | _about_person(self.person))
        if self.team:
            rows = rows.filter(team_id=int(self.team))
        if self.machine:
            rows = rows.filter(target_kind="instance", target_label__iexact=self.machine)
        if self.kind:
            rows = rows.filter(_of_kind(self.kind))
        if self.result:
            rows = rows.filter(outcome=self.result)
        since, until = _day(self.since), _day(self.until)
        if since:
            rows = rows.filter(at__gte=_begin(since))
        if until:
            rows = rows.filter(at__lt=_begin(until + timedelta(days=1)))
        return rows

    def page(self, rows: QuerySet[Entry]) -> tuple[Sequence[Entry], str | None]:
        """The newest first, and the address of the older ones. One query."""
        rows = self.narrow(rows)
        if self.before:
            rows = rows.filter(sequence__lt=int(self.before))
        found = list(rows.order_by("-sequence")[: PAGE + 1])
        more = self.address(before=str(found[PAGE - 1].sequence)) if len(found) > PAGE else None
        return found[:PAGE], more


def _of_kind(kind: str) -> Q:
    if kind == "approvals":
        return Q(*[Q(code__startswith="instance."), _any(Q(code__endswith=f".{end}") for end in APPROVALS)])
    return _any(Q(code__startswith=start) for start in KINDS[kind])


def _any(parts: Any) -> Q:
    found = Q()
    for part in parts:
        found |= part
    return found


def _about_person(label: str) -> Q:
    return Q(target_kind="person", target_label__iexact=label)


def _begin(day: date) -> datetime:
    """Midnight where the person is."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _day(text: str) -> date | None:
    try:
        found = parse_date(text)
    except ValueError:
        return None
    return found if found and 2000 <= found.year < 2200 else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
