"""Which action somebody means who types "restart trainer-07", "trainer-07 restart" or "shut tr"."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from panel.actions import table
from panel.actions.table import Action

SHORTEST = 2  # letters: one alone begins too many words


@dataclass(frozen=True)
class Meant:
    """The actions that the words can mean, and what is left of the words: the machine."""

    actions: tuple[Action, ...] = ()
    rest: str = ""


def meant(q: str) -> Meant:
    """The verb stands in front, or behind the machine. The longest reading wins: "power cycle x" starts nothing."""
    words = q.casefold().split()
    for size in range(len(words), 0, -1):
        for verb, rest in ((words[:size], q.split()[size:]), (words[-size:], q.split()[:-size])):
            actions = tuple(_begun(" ".join(verb)))
            if actions:
                return Meant(actions, " ".join(rest))
    return Meant()


def _begun(phrase: str) -> Iterator[Action]:
    if len(phrase) < SHORTEST:
        return
    for action in table.ACTIONS.values():
        if any(name.startswith(phrase) for name in _names(action)):
            yield action


def _names(action: Action) -> Sequence[str]:
    """The verb as buttons say it, and the provider's own word."""
    return str(action.verb).casefold(), action.name.replace("_", " ")
