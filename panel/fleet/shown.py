"""What is known of a machine, in the words and looks of ux.md ("States, everywhere the same").

Plain values in, ready strings out: templates choose nothing and compare nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from cloud.gpus import vram_gb
from cloud.models import Instance
from cloud.operations.states import State as Op
from cloud.timing import seconds, timing
from panel.actions import table

Power = Instance.Power


class Known(Protocol):
    """The columns that a state is told from: an Instance, or a row of listing.COLUMNS."""

    account_id: int
    power: str
    last_power: str
    last_power_at: datetime | None
    missing_since: datetime | None
    gone_at: datetime | None
    attention: int
    operation_kind: str
    operation_state: str
    operation_at: datetime | None
    prepares_until: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """A state in words: `look` is the CSS class behind `st-`; `note` and the time `at` stand small beside the word.

    `left_until` counts down behind the word, `since` counts up small beside it.
    """

    look: str
    word: str
    note: str = ""
    at: datetime | None = None
    left_until: datetime | None = None
    since: datetime | None = None


def state_of(known: Known, stale: Mapping[int, datetime]) -> State:
    """The state of one machine. `stale` maps accounts whose data is old to the time of that data."""
    if known.gone_at:
        return State("gone", _("Gone"), _("since"), known.gone_at)
    if known.attention != Instance.Attention.CALM:
        return _busy(known)
    if known.missing_since and known.power != Power.UNKNOWN:
        return State("unknown", _("Unknown"), lastly(known.power), known.missing_since)
    if known.account_id in stale and known.power != Power.UNKNOWN:
        return State("unknown", _("Unknown"), lastly(known.power), stale[known.account_id])
    if known.power == Power.RUNNING and known.prepares_until:
        return State("busy", _("Preparing"), since=prepares_since(known.prepares_until))
    if known.power == Power.RUNNING:
        return State("run", _("Running"))
    if known.power == Power.UNKNOWN:
        return State("unknown", _("Unknown"), lastly(known.last_power), known.last_power_at)
    return State("off", _("Paused") if known.power == Power.PAUSED else _("Off"), off_note())


def prepares_since(until: datetime) -> datetime:
    """When a new GPU machine began to build its driver."""
    return until - seconds(timing().preparing_s)


def _busy(known: Known) -> State:
    """What goes on with a machine, or went wrong: from the operation that was written down."""
    action = table.of(known.operation_kind)
    verb, going, failed = (
        (action.verb, action.going, action.failed) if action else (known.operation_kind, _("Busy"), "")
    )
    if known.attention == Instance.Attention.FAILED:
        return State("bad", _("Needs attention"), str(failed))
    if known.attention == Instance.Attention.UNCLEAR:
        return State("check", _("Please check"), str(verb).lower())
    if known.operation_state == Op.WAITING_APPROVAL:
        return State("wait", _("Waiting for approval"), str(verb).lower())
    if known.operation_state == Op.HELD:
        return State("del", _("%(going)s in") % {"going": str(going).rstrip("…")}, left_until=known.operation_at)
    if known.operation_state == Op.CHECKING:
        return State("busy", _("Checking…"), str(verb).lower(), since=known.operation_at)
    return State("busy", str(going), since=known.operation_at)


def lastly(power: str) -> str:
    """What it was when it was last known: "running at" (a time follows), or nothing."""
    words = {Power.RUNNING: _("running at"), Power.STOPPED: _("off at"), Power.PAUSED: _("paused at")}
    return words.get(Power(power), "") if power else ""


def off_note() -> str:
    return _("may still cost") if settings.OFF_MAY_COST else ""


def type_note(gpu_model: str, gpu_count: int | None, cpu_cores: int | None) -> str:
    """The small words behind a type: the cards' memory, or the cores of a machine without cards."""
    if gpu_model and gpu_count != 0:
        memory = vram_gb(gpu_model, gpu_count or 1)
        return f"{memory} GB" if memory else ""
    return f"{cpu_cores} vCPU" if cpu_cores else ""
