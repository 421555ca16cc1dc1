"""Each action that the pages offer, in the words of people: one row a kind of operation (ux.md, "Words, not codes")."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from cloud.models import Instance
from cloud.operations import launches
from cloud.operations.kind import Kind, Tier
from cloud.operations.kinds import KINDS
from panel.teams import policy
from panel.teams.policy import Actor, Permission

Power = Instance.Power
ON = frozenset({Power.RUNNING, Power.UNKNOWN})
DOWN = frozenset({Power.STOPPED, Power.PAUSED, Power.UNKNOWN})
NEVER: frozenset[str] = frozenset()  # not of a machine: it has a page of its own
PLUGGED = frozenset({Power.RUNNING, Power.PAUSED, Power.UNKNOWN})


@dataclass(frozen=True)
class Action:
    """What a button says, who may press it, and for machines in which state it is offered.

    `verb` stands on buttons and heads, `going` is the state while it goes on, `failed` stands beside "Needs
    attention". `effect` is the one sentence of a confirmation.
    """

    kind: Kind
    permission: Permission
    verb: Any
    going: Any
    failed: Any
    effect: Any
    icon: str
    offered: frozenset[str] = frozenset(Power)

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def is_everyday(self) -> bool:
        """In plain sight; the others stand in the menu "More"."""
        return self.kind.tier is Tier.INTERRUPTS and bool(self.offered)

    @property
    def makes(self) -> bool:
        """It makes a machine, and is asked for on a page of its own."""
        return not self.offered

    @property
    def may_lose(self) -> bool:
        return self.kind.tier >= Tier.MAY_LOSE

    def fits(self, machine: Instance) -> bool:
        """Offered for this machine as it is now, whoever asks."""
        return machine.gone_at is None and not machine.is_awaited and machine.power in self.offered


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            KINDS["power_on"],
            Permission.INSTANCE_POWER,
            _("Start"),
            _("Starting…"),
            _("start failed"),
            _("It is turned on and costs its full price from then on."),
            "player-play",
            DOWN,
        ),
        Action(
            KINDS["reboot"],
            Permission.INSTANCE_POWER,
            _("Restart"),
            _("Restarting…"),
            _("restart failed"),
            _("Programs on it close, data on the disk stays. Usually back within a minute."),
            "refresh",
            ON,
        ),
        Action(
            KINDS["shutdown"],
            Permission.INSTANCE_POWER,
            _("Shut down"),
            _("Stopping…"),
            _("shut down failed"),
            _("Its system is asked to stop: programs close, data stays. It may still cost while it is off."),
            "power",
            ON,
        ),
        Action(
            KINDS["rename"],
            Permission.INSTANCE_RENAME,
            _("Rename"),
            _("Renaming…"),
            _("rename failed"),
            _("The machine keeps running. Inside it, the new name is taken up at its next power cycle."),
            "pencil",
        ),
        Action(
            KINDS["force_off"],
            Permission.INSTANCE_FORCE,
            _("Force off"),
            _("Forcing off…"),
            _("force off failed"),
            _("Like pulling the plug: what is not saved is lost."),
            "plug-connected-x",
            PLUGGED,
        ),
        Action(
            KINDS["power_cycle"],
            Permission.INSTANCE_FORCE,
            _("Power cycle"),
            _("Power cycling…"),
            _("power cycle failed"),
            _("Off and on again, like pulling the plug: what is not saved is lost. A new name is taken up."),
            "rotate",
            PLUGGED,
        ),
        Action(
            KINDS["delete"],
            Permission.INSTANCE_DELETE,
            _("Delete"),
            _("Deleting…"),
            _("delete failed"),
            _("The machine and everything on it is gone. Nobody can bring it back."),
            "trash",
        ),
        *(
            Action(
                KINDS[name],
                Permission.INSTANCE_LAUNCH,
                _("Launch"),
                _("Launching…"),
                _("launch failed"),
                _("It costs its price from the moment it runs."),
                "rocket",
                NEVER,
            )
            for name in launches.NAMES
        ),
    )
}


def of(kind: str) -> Action | None:
    """The action of a kind; None for one that this version does not know."""
    return ACTIONS.get(kind)


def has_any(actor: Actor) -> bool:
    """May this actor do anything to any machine? Who may not sees no menus."""
    return any(policy.allowed(actor, action.permission) for action in ACTIONS.values())


def offered_to(actor: Actor, machine: Instance) -> Iterator[Action]:
    """What this actor may do with this machine as it is now, or ask a second person for: no permission, no button."""
    return (
        action
        for action in ACTIONS.values()
        if action.fits(machine) and policy.may_ask(actor, action.permission, action.name, machine)
    )
