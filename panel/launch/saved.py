"""Keys that are offered at a launch: the person's own, and those of the teams in which they may launch."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.translation import gettext as _

from panel.people import keys as own
from panel.people.models import SshKey
from panel.people.ssh_keys import PublicKey, checked
from panel.teams import keys as of_teams
from panel.teams.models import TeamKey
from panel.teams.policy import Actor, Permission


@dataclass(frozen=True)
class SavedKey:
    """`token` names it in a form: "7" is the person's own, "t7" a team's."""

    row: SshKey | TeamKey

    @property
    def token(self) -> str:
        return f"t{self.row.pk}" if isinstance(self.row, TeamKey) else str(self.row.pk)

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def line(self) -> str:
        return self.row.line

    @property
    def short(self) -> str:
        return self.row.short

    @property
    def team_id(self) -> int | None:
        return self.row.team_id if isinstance(self.row, TeamKey) else None

    @property
    def whose(self) -> str:
        return _("of %(team)s") % {"team": self.row.team.name} if isinstance(self.row, TeamKey) else ""

    @cached_property
    def key(self) -> PublicKey:
        return checked(self.row.line)

    def mark_used(self, at: datetime) -> None:
        if isinstance(self.row, TeamKey):
            of_teams.mark_used(self.row.pk, at)
        else:
            own.mark_used(user_id=self.row.user_id, key_id=self.row.pk, at=at)


def saved_keys(actor: Actor) -> list[SavedKey]:
    """Two queries."""
    mine = [SavedKey(row) for row in own.own_keys(actor.user_id or 0)]
    launching = actor.teams_with(Permission.INSTANCE_LAUNCH)
    return mine + [SavedKey(row) for row in of_teams.visible_keys(actor).filter(team__in=launching)]
