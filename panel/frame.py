"""What stands around every page: navigation, banners, who is signed in. Read only if a template shows it."""

import time
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cloud.models import Instance, Tally
from cloud.operations.models import Operation
from panel.activity.queries import VIEWS, visible_operations
from panel.http import PanelRequest
from panel.inbox.models import Notice
from panel.standing import Standing, standings
from panel.teams import policy
from panel.teams.policy import Actor, Permission


@dataclass
class Place:
    """One entry of the side bar."""

    name: str  # of the URL
    label: Any
    icon: str
    permission: Permission | None = None  # None: for everybody who is signed in
    also: Permission | None = None  # or with this one

    def is_for(self, actor: Actor) -> bool:
        asked = [each for each in (self.permission, self.also) if each is not None]
        return not asked or any(policy.allowed(actor, each) for each in asked)

    @cached_property
    def address(self) -> str:
        return reverse(self.name)


PLACES = (
    Place("overview:home", gettext_lazy("Overview"), "layout-dashboard", Permission.INSTANCE_VIEW),
    Place("fleet:list", gettext_lazy("Instances"), "server", Permission.INSTANCE_VIEW),
    Place("activity:home", gettext_lazy("Activity"), "activity", Permission.INSTANCE_VIEW),
    Place("inbox:home", gettext_lazy("Inbox"), "bell"),
)
ORGANISATION = (
    Place("teams:home", gettext_lazy("Teams"), "users"),
    Place("teams:people", gettext_lazy("People"), "user-circle", Permission.PERSON_VIEW),
    Place("audit:home", gettext_lazy("Record"), "list-check", Permission.RECORD_VIEW, Permission.RECORD_VIEW_ALL),
    Place("accounts:list", gettext_lazy("Settings"), "settings", Permission.ACCOUNT_VIEW),
    Place("health:home", gettext_lazy("Health"), "heartbeat", Permission.HEALTH_VIEW),
)


class Frame:
    """Around one request's page. Everything is read when first asked for, and once."""

    def __init__(self, request: PanelRequest) -> None:
        self.request = request
        self.actor: Actor = request.actor
        self.drawn_at = f"{time.time():.3f}"  # before anything was read: what changes from now on the stream must say

    @cached_property
    def standings(self) -> list[Standing]:
        """Of the accounts; nothing for who sees neither machines nor accounts: not even what they are called."""
        return list(standings()) if self.sees_accounts else []

    @property
    def sees_accounts(self) -> bool:
        return any(policy.allowed(self.actor, each) for each in (Permission.INSTANCE_VIEW, Permission.ACCOUNT_VIEW))

    @property
    def read_accounts(self) -> list[Standing]:
        """Those that are read: of the disabled ones nobody expects an answer."""
        return [row for row in self.standings if row.is_enabled]

    @cached_property
    def tallies(self) -> list[Tally]:
        """Counts of the teams that the actor may see; each row carries `operations` and `unread` as well. One query."""
        teams = self.actor.teams_with(Permission.INSTANCE_VIEW)
        rows = Tally.objects.filter(team_id__in=teams).exclude(account__is_sandbox=True, account__is_enabled=False)
        count = self._current.order_by().annotate(all=Value(1)).values("all").annotate(n=Count("pk")).values("n")
        unread = self._unread.order_by().annotate(all=Value(1)).values("all").annotate(n=Count("pk")).values("n")
        return list(rows.annotate(operations=Coalesce(Subquery(count), 0), unread=Coalesce(Subquery(unread), 0)))

    @cached_property
    def states(self) -> dict[int, int]:
        """Machines by Instance.Rank, gone ones included."""
        counts: dict[int, int] = {}
        for tally in self.tallies:
            for rank, machines in tally.states.items():
                counts[int(rank)] = counts.get(int(rank), 0) + machines
        return counts

    @property
    def machines(self) -> int:
        return sum(self.states.values()) - self.gone - self.states.get(Instance.Rank.UNMADE, 0)

    @property
    def gone(self) -> int:
        return self.states.get(Instance.Rank.GONE, 0)

    @property
    def cents_per_hour(self) -> int:
        return sum(tally.cents_per_hour for tally in self.tallies)

    @property
    def unpriced(self) -> int:
        return sum(tally.unpriced for tally in self.tallies)

    @cached_property
    def places(self) -> list[Place]:
        return [place for place in PLACES if place.is_for(self.actor)]

    @cached_property
    def organisation(self) -> list[Place]:
        return [place for place in ORGANISATION if place.is_for(self.actor)]

    @property
    def here(self) -> str:
        match = self.request.resolver_match
        return match.view_name if match else ""

    @property
    def role(self) -> str:
        """The person's role in words; of several the one in the first team."""
        roles = list(self.actor.roles.values())
        if self.actor.is_administrator:
            return _("Administrator")
        return str(roles[0]).title() if roles else _("No team yet")

    @cached_property
    def operations(self) -> int:
        """Operations that go on or need a person: read beside the tallies, which every page has."""
        if self.tallies:
            return self.tallies[0].operations  # type: ignore[attr-defined, no-any-return]
        return self._current.count()

    @cached_property
    def unread(self) -> int:
        """Notices in the person's inbox that they have not read."""
        if self.tallies:
            return self.tallies[0].unread  # type: ignore[attr-defined, no-any-return]
        return self._unread.count()

    @property
    def _unread(self) -> QuerySet[Notice]:
        return Notice.objects.filter(user=self.actor.user_id, read_at=None)

    @property
    def _current(self) -> QuerySet[Operation]:
        return visible_operations(self.actor).filter(VIEWS["running"] | VIEWS["trouble"])

    @property
    def may_launch(self) -> bool:
        return policy.allowed(self.actor, Permission.INSTANCE_LAUNCH)

    @property
    def may_see_tasks(self) -> bool:
        return policy.allowed(self.actor, Permission.TASK_VIEW)

    @property
    def may_manage_accounts(self) -> bool:
        return policy.allowed(self.actor, Permission.ACCOUNT_MANAGE)

    @cached_property
    def oldest(self) -> Standing | None:
        """The account whose data is the oldest: a page is as fresh as that."""
        known = [row for row in self.read_accounts if row.read_at]
        return min(known, key=lambda row: row.read_at) if known else None  # type: ignore[return-value, arg-type]

    @property
    def is_doubtful(self) -> bool:
        return any(row.is_doubtful for row in self.read_accounts)

    @property
    def sandbox(self) -> bool:
        return any(row.is_sandbox for row in self.read_accounts)

    @property
    def silent(self) -> list[Standing]:
        return [row for row in self.read_accounts if row.is_silent]

    @property
    def stale(self) -> list[Standing]:
        return [row for row in self.read_accounts if row.is_stale and not row.is_silent]

    @property
    def rejected(self) -> list[Standing]:
        return [row for row in self.read_accounts if row.is_rejected]

    @property
    def held(self) -> list[Standing]:
        return [row for row in self.read_accounts if row.held_missing]


def frame_of(request: PanelRequest) -> Frame:
    """The request's one frame, shared by view and template."""
    if not hasattr(request, "tidepool_frame"):
        request.tidepool_frame = Frame(request)  # type: ignore[attr-defined]
    return request.tidepool_frame  # type: ignore[attr-defined, no-any-return]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame` for templates."""
    return {"frame": frame_of(request)} if hasattr(request, "actor") else {}  # type: ignore[arg-type]
