"""Which parts of an account's cache are awaited by operations, and how often they are to be read meanwhile."""

from cloud.models import Refresh
from cloud.operations.models import Operation
from cloud.operations.states import SOUGHT, State
from cloud.timing import Timing


def wants(account_id: int, part: str) -> bool:
    """Does an operation wait for this part? One query for the two parts that can be; none for the others."""
    if part == Refresh.Part.TASKS:
        return _sought(account_id)
    return part == Refresh.Part.INSTANCES and _shown(account_id)


def tasks_every_s(account_id: int, pace: Timing, otherwise_s: float) -> float:
    return min(pace.poll_s, otherwise_s) if _sought(account_id) else otherwise_s


def machines_every_s(account_id: int, pace: Timing, otherwise_s: float) -> float:
    return min(pace.look_s, otherwise_s) if _shown(account_id) else otherwise_s


def _sought(account_id: int) -> bool:
    return Operation.objects.filter(account=account_id, state__in=SOUGHT).exists()


def _shown(account_id: int) -> bool:
    """One is being looked for, or a task said that it is done and the machine must show it."""
    rows = Operation.objects.filter(account=account_id)
    is_checking = rows.filter(state=State.CHECKING).exists()
    return is_checking or rows.filter(state=State.RUNNING, evidence__has_key="completed_at").exists()
