"""THE policy: who may do what. One table of permissions, one of roles, one question.

Pages, live events, workers and the gateway ask `allowed`; nobody else compares roles. Default is no. What a person may
not see does not exist for them (404); what they see and may not do is refused (403). A permission appears here with
the first thing that asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn, Protocol

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    LAUNCHER = "launcher"
    OPERATOR = "operator"
    BILLING = "billing"
    VIEWER = "viewer"


class Permission(StrEnum):
    INSTANCE_VIEW = "instance.view"
    INSTANCE_EXPORT = "instance.export"
    INSTANCE_LAUNCH = "instance.launch"
    INSTANCE_POWER = "instance.power"
    INSTANCE_FORCE = "instance.force"
    INSTANCE_RENAME = "instance.rename"
    INSTANCE_DELETE = "instance.delete"
    INSTANCE_LOCK = "instance.lock"
    INSTANCE_UNLOCK = "instance.unlock"
    INSTANCE_GIVE = "instance.give"
    OPERATION_ASK = "operation.ask"
    OPERATION_APPROVE = "operation.approve"
    OPERATION_SETTLE = "operation.settle"
    COST_VIEW = "cost.view"
    TASK_VIEW = "task.view"
    KEY_VIEW = "key.view"
    KEY_MANAGE = "key.manage"
    MEMBER_VIEW = "member.view"
    MEMBER_INVITE = "member.invite"
    MEMBER_CHANGE = "member.change"
    MEMBER_REMOVE = "member.remove"
    TEAM_RENAME = "team.rename"
    TEAM_RULES = "team.rules"
    RECORD_VIEW = "record.view"
    RECORD_EXPORT = "record.export"
    # Of the installation: administrators have them, whatever their roles.
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_MANAGE = "account.manage"
    HEALTH_VIEW = "health.view"
    TEAM_CREATE = "team.create"
    TEAM_VIEW_ALL = "team.view_all"
    PERSON_VIEW = "person.view"
    PERSON_DISABLE = "person.disable"
    PERSON_PROMOTE = "person.promote"
    RECORD_VIEW_ALL = "record.view_all"


# One plain sentence each, for the page "who may do what".
SENTENCES: dict[Permission, Any] = {
    Permission.INSTANCE_VIEW: _("See the team's machines, their state and their load."),
    Permission.INSTANCE_EXPORT: _("Download the list of the team's machines."),
    Permission.INSTANCE_LAUNCH: _("Launch machines, which costs money."),
    Permission.INSTANCE_POWER: _("Start, shut down and restart machines."),
    Permission.INSTANCE_FORCE: _("Force machines off and power-cycle them, which may lose data."),
    Permission.INSTANCE_RENAME: _("Rename machines."),
    Permission.INSTANCE_DELETE: _("Delete machines with everything on them."),
    Permission.INSTANCE_LOCK: _("Protect machines from deletion."),
    Permission.INSTANCE_UNLOCK: _("Take the protection from deletion away."),
    Permission.INSTANCE_GIVE: _("Give machines to another team, and take some in."),
    Permission.OPERATION_ASK: _("Ask for what the team's rules leave to two people, such as a delete."),
    Permission.OPERATION_APPROVE: _("Approve or reject what somebody else asked for."),
    Permission.OPERATION_SETTLE: _("Say how an action ended whose outcome nobody could find out."),
    Permission.COST_VIEW: _("See what machines cost."),
    Permission.TASK_VIEW: _("See what the provider is working on."),
    Permission.KEY_VIEW: _("See the team's SSH keys, and choose one at a launch."),
    Permission.KEY_MANAGE: _("Add and remove the team's SSH keys."),
    Permission.MEMBER_VIEW: _("See who belongs to the team, with which role."),
    Permission.MEMBER_INVITE: _("Invite people, with at most one's own role."),
    Permission.MEMBER_CHANGE: _("Change the roles of people, up to one's own."),
    Permission.MEMBER_REMOVE: _("Remove people from the team, up to one's own role."),
    Permission.TEAM_RENAME: _("Rename the team."),
    Permission.TEAM_RULES: _("Say what in this team takes a second person."),
    Permission.RECORD_VIEW: _("Read the team's record: who did what, when, from where."),
    Permission.RECORD_EXPORT: _("Download the team's record."),
    Permission.ACCOUNT_VIEW: _("See which provider accounts are connected, and whether they answer."),
    Permission.ACCOUNT_MANAGE: _("Add, replace, test and disable provider keys."),
    Permission.HEALTH_VIEW: _("See whether every part of Tidepool is well."),
    Permission.TEAM_CREATE: _("Make new teams."),
    Permission.TEAM_VIEW_ALL: _("See every team, and say who belongs to it; its machines stay unseen."),
    Permission.PERSON_VIEW: _("See everybody who may sign in."),
    Permission.PERSON_DISABLE: _("Disable people, and let them in again."),
    Permission.PERSON_PROMOTE: _("Make somebody an administrator of the installation, or no longer."),
    Permission.RECORD_VIEW_ALL: _("Read and download the whole record, of every team and of the installation."),
}

_SEE = frozenset(
    {
        Permission.INSTANCE_VIEW,
        Permission.INSTANCE_EXPORT,
        Permission.COST_VIEW,
        Permission.TASK_VIEW,
        Permission.KEY_VIEW,
        Permission.MEMBER_VIEW,
    }
)
_RUN = _SEE | {Permission.INSTANCE_POWER, Permission.OPERATION_ASK}
_MAKE = _RUN | {
    Permission.INSTANCE_LAUNCH,
    Permission.INSTANCE_FORCE,
    Permission.INSTANCE_RENAME,
    Permission.INSTANCE_DELETE,
}
_RULE = _MAKE | {
    Permission.INSTANCE_LOCK,
    Permission.INSTANCE_UNLOCK,
    Permission.INSTANCE_GIVE,
    Permission.OPERATION_APPROVE,
    Permission.OPERATION_SETTLE,
    Permission.KEY_MANAGE,
    Permission.MEMBER_INVITE,
    Permission.MEMBER_CHANGE,
    Permission.MEMBER_REMOVE,
    Permission.RECORD_VIEW,
    Permission.RECORD_EXPORT,
}
# What is no team's: a role gives none of it, being administrator of the installation gives all of it.
INSTALLATION = frozenset(
    {
        Permission.ACCOUNT_VIEW,
        Permission.ACCOUNT_MANAGE,
        Permission.HEALTH_VIEW,
        Permission.TEAM_CREATE,
        Permission.TEAM_VIEW_ALL,
        Permission.PERSON_VIEW,
        Permission.PERSON_DISABLE,
        Permission.PERSON_PROMOTE,
        Permission.RECORD_VIEW_ALL,
    }
)
# What an administrator may do in every team besides: say who belongs to it. Never anything with its machines.
IN_EVERY_TEAM = frozenset(
    {
        Permission.MEMBER_VIEW,
        Permission.MEMBER_INVITE,
        Permission.MEMBER_CHANGE,
        Permission.MEMBER_REMOVE,
        Permission.TEAM_RENAME,
    }
)
ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission) - INSTALLATION,
    Role.ADMIN: _RULE,
    Role.LAUNCHER: _MAKE,
    Role.OPERATOR: _RUN,
    Role.BILLING: _SEE,
    Role.VIEWER: _SEE,
}


class Owned(Protocol):
    """Anything that belongs to a team."""

    @property
    def team_id(self) -> int: ...


@dataclass(frozen=True)
class Origin:
    """From where somebody asks, for the record. The session is named by a hash, a token by its row's id."""

    address: str = ""
    agent: str = ""
    session_hash: str = ""
    token_id: int | None = None


@dataclass(frozen=True)
class Actor:
    """Who asks: a person with their roles, read once a request. `roles` maps team to role. `pairs` is what each of
    their teams leaves to two people (rules.py).
    """

    user_id: int | None = None
    label: str = ""
    is_administrator: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)
    pairs: Mapping[int, frozenset[str]] = field(default_factory=dict, compare=False)  # kinds that take two, by team
    teams: Mapping[int, str] = field(default_factory=dict, compare=False)  # names of the teams in `roles`
    origin: Origin = field(default=Origin(), compare=False)
    zone: str = field(default="", compare=False)  # how they want pages; says nothing of what they may do
    theme: str = field(default="", compare=False)

    @property
    def is_known(self) -> bool:
        return self.user_id is not None

    def teams_with(self, permission: Permission) -> list[int]:
        """The teams in which this actor's role has the permission: the one filter that lists are narrowed by."""
        return [team for team, role in self.roles.items() if permission in ROLES[role]]

    @property
    def installation(self) -> frozenset[Permission]:
        """What this actor may do in the installation, whatever the team."""
        return INSTALLATION | IN_EVERY_TEAM if self.is_administrator else frozenset()


NOBODY = Actor()


def allowed(actor: Actor, permission: Permission, target: Owned | None = None) -> bool:
    """May this actor do this to the target, or, without a target, anywhere?"""
    if not isinstance(permission, Permission):
        raise TypeError(f"{permission!r} is not a permission.")
    if permission in actor.installation:
        return True
    if target is None:
        return bool(actor.teams_with(permission))
    role = actor.roles.get(target.team_id)
    return role is not None and permission in ROLES[role]


def may_ask(actor: Actor, permission: Permission, kind: str, target: Owned) -> bool:
    """May this actor do it, or at least ask a second person for it?"""
    if allowed(actor, permission, target):
        return True
    return kind in actor.pairs.get(target.team_id, ()) and allowed(actor, Permission.OPERATION_ASK, target)


def grantable(actor: Actor, target: Owned) -> list[Role]:
    """The roles that this actor may give in the target's team, and take away: none that may more than their own."""
    if Permission.MEMBER_CHANGE in actor.installation:
        return list(Role)
    role = actor.roles.get(target.team_id)
    mine = ROLES[role] if role else frozenset()
    return [each for each in Role if ROLES[each] <= mine] if Permission.MEMBER_INVITE in mine else []


def deny(permission: Permission) -> NoReturn:
    """Refuse what a look at the two people showed. Raises PermissionDenied."""
    raise PermissionDenied(permission)


def person_id(actor: Actor) -> int:
    """Whose own things the actor may change: everybody's who is signed in. Raises PermissionDenied for nobody."""
    if actor.user_id is None:
        raise PermissionDenied
    return actor.user_id


def require(actor: Actor, permission: Permission, target: Owned | None = None) -> None:
    """Raises PermissionDenied, with the permission that is lacking, unless `allowed`."""
    if not allowed(actor, permission, target):
        raise PermissionDenied(permission)
