"""THE policy: who may do what. One table of permissions, one of roles, one question.

Pages, live events, workers and the gateway ask `allowed`; nobody else compares roles. Default is no. What a person may
not see does not exist for them (404); what they see and may not do is refused (403). A permission appears here with
the first thing that asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from django.core.exceptions import PermissionDenied


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
    OPERATION_SETTLE = "operation.settle"
    COST_VIEW = "cost.view"
    TASK_VIEW = "task.view"
    ACCOUNT_VIEW = "account.view"
    ACCOUNT_MANAGE = "account.manage"
    HEALTH_VIEW = "health.view"


# One plain sentence each, for the page "who may do what".
SENTENCES: dict[Permission, str] = {
    Permission.INSTANCE_VIEW: "See the team's machines, their state and their load.",
    Permission.INSTANCE_EXPORT: "Download the list of the team's machines.",
    Permission.INSTANCE_LAUNCH: "Launch machines, which costs money.",
    Permission.INSTANCE_POWER: "Start, shut down and restart machines.",
    Permission.INSTANCE_FORCE: "Force machines off and power-cycle them, which may lose data.",
    Permission.INSTANCE_RENAME: "Rename machines.",
    Permission.INSTANCE_DELETE: "Delete machines with everything on them.",
    Permission.INSTANCE_LOCK: "Protect machines from deletion, and take the protection away.",
    Permission.OPERATION_SETTLE: "Say how an action ended whose outcome nobody could find out.",
    Permission.COST_VIEW: "See what machines cost.",
    Permission.TASK_VIEW: "See what the provider is working on.",
    Permission.ACCOUNT_VIEW: "See which provider accounts are connected, and whether they answer.",
    Permission.ACCOUNT_MANAGE: "Add, replace, test and disable provider keys.",
    Permission.HEALTH_VIEW: "See whether every part of Tidepool is well.",
}

_SEE = frozenset({Permission.INSTANCE_VIEW, Permission.INSTANCE_EXPORT, Permission.COST_VIEW, Permission.TASK_VIEW})
_RUN = _SEE | {Permission.INSTANCE_POWER}
_MAKE = _RUN | {
    Permission.INSTANCE_LAUNCH,
    Permission.INSTANCE_FORCE,
    Permission.INSTANCE_RENAME,
    Permission.INSTANCE_DELETE,
}
_RULE = _MAKE | {Permission.INSTANCE_LOCK, Permission.OPERATION_SETTLE}
ROLES: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: _RULE | {Permission.ACCOUNT_VIEW, Permission.HEALTH_VIEW},
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
    """Who asks: a person with their roles, read once a request. `roles` maps team to role."""

    user_id: int | None = None
    label: str = ""
    is_administrator: bool = False
    roles: Mapping[int, Role] = field(default_factory=dict)
    origin: Origin = field(default=Origin(), compare=False)
    zone: str = field(default="", compare=False)  # how they want pages; says nothing of what they may do
    theme: str = field(default="", compare=False)

    @property
    def is_known(self) -> bool:
        return self.user_id is not None

    def teams_with(self, permission: Permission) -> list[int]:
        """The teams in which this actor has the permission: the one filter that lists are narrowed by."""
        return [team for team, role in self.roles.items() if permission in ROLES[role]]


NOBODY = Actor()


def allowed(actor: Actor, permission: Permission, target: Owned | None = None) -> bool:
    """May this actor do this to the target, or, without a target, anywhere?"""
    if not isinstance(permission, Permission):
        raise TypeError(f"{permission!r} is not a permission.")
    if target is None:
        return bool(actor.teams_with(permission))
    role = actor.roles.get(target.team_id)
    return role is not None and permission in ROLES[role]


def person_id(actor: Actor) -> int:
    """Whose own things the actor may change: everybody's who is signed in. Raises PermissionDenied for nobody."""
    if actor.user_id is None:
        raise PermissionDenied
    return actor.user_id


def require(actor: Actor, permission: Permission, target: Owned | None = None) -> None:
    """Raises PermissionDenied, with the permission that is lacking, unless `allowed`."""
    if not allowed(actor, permission, target):
        raise PermissionDenied(permission)
