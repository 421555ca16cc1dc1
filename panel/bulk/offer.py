"""What the list offers for many machines at once."""

from collections.abc import Sequence

from panel.actions.table import ACTIONS, Action
from panel.bulk.words import EFFECTS
from panel.teams import policy
from panel.teams.policy import Actor, Permission


def offered(actor: Actor) -> dict[str, Sequence[Action] | bool]:
    """The actions that the actor may ask of some machine: in plain sight, and those that may lose data; and whether
    they may give some to another team.
    """
    actions = [ACTIONS[name] for name in EFFECTS if policy.allowed(actor, ACTIONS[name].permission)]
    return {
        "everyday": [action for action in actions if action.is_everyday],
        "risky": [action for action in actions if action.may_lose],
        "may_give": len(actor.teams_with(Permission.INSTANCE_GIVE)) > 1,
    }
