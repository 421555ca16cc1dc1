"""What somebody means who types a verb and a machine, and how well a name fits."""

import pytest

from panel.find.ranking import Fit, fit_of
from panel.find.verbs import meant


@pytest.mark.parametrize(
    ("q", "actions", "rest"),
    [
        ("restart trainer-07", {"reboot"}, "trainer-07"),
        ("Restart Trainer-07", {"reboot"}, "Trainer-07"),
        ("reboot trainer-07", {"reboot"}, "trainer-07"),
        ("trainer-07 restart", {"reboot"}, "trainer-07"),
        ("shut tr", {"shutdown"}, "tr"),
        ("shut down tr", {"shutdown"}, "tr"),
        ("power tr", {"power_on", "power_cycle"}, "tr"),
        ("power cycle tr", {"power_cycle"}, "tr"),
        ("force off", {"force_off"}, ""),
        ("d trainer", set(), ""),
        ("trainer-07", set(), ""),
        ("", set(), ""),
    ],
)
def test_a_verb_stands_before_or_behind_the_machine(q: str, actions: set[str], rest: str) -> None:
    found = meant(q)
    assert ({action.name for action in found.actions}, found.rest) == (actions, rest)


@pytest.mark.parametrize(
    ("text", "q", "fit"),
    [
        ("Activity", "activity", Fit.EXACT),
        ("Activity", "act", Fit.PREFIX),
        ("Night training", "tr", Fit.WORD),
        ("big-trainer", "tr", Fit.WORD),
        ("Night training", "aini", Fit.INSIDE),
        ("Night training", "training night", Fit.INSIDE),
        ("Night training", "training day", None),
        ("anything", "", Fit.INSIDE),
    ],
)
def test_the_name_then_its_beginning_then_a_word_then_anything(text: str, q: str, fit: Fit | None) -> None:
    assert fit_of(text, q) == fit
