"""What was found by looking, kept in the operation's row: each reading adds to it, `judging` decides by it alone."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from cloud.operations.models import Operation


class Evidence(Struct, omit_defaults=True, kw_only=True):
    """Times are ours, in UTC. Counters count readings in a row; a reading that says nothing leaves them alone."""

    task_status: str = ""  # the provider's word on its task
    task_said: str = ""  # and its message
    completed_at: datetime | None = None  # when we heard that the task is done
    contradicted: int = 0  # readings since then that say otherwise
    singles: int = 0  # how often the task was asked for by itself
    asked_at: datetime | None = None  # and when, the last time
    checking_since: datetime | None = None
    read_at: datetime | None = None  # the last reading, whether or not it said anything
    read_since: datetime | None = None  # the first one after the provider had given no answers for a while
    looked_at: datetime | None = None  # the last reading that said anything
    power: str = ""  # of the machine at the last reading; "absent" when the list lacks it
    done: int = 0
    not_done: int = 0
    absent_since: datetime | None = None  # the first of the readings in a row that said no
    twins: int = 0  # machines that bear the name of a launch and were not there before it
    elders: int = 0  # new to us as well, and by the provider's own word older than the request
    done_at: datetime | None = None  # when enough readings had shown it
    listed_at: datetime | None = None  # the last task list was asked for, and held no single task of ours
    clean_at: datetime | None = None  # a complete task list had nothing of ours, after nothing could come any more
    strange_task: str = ""  # a task of this machine in our window whose name we do not know
    candidates: int = 0  # tasks that could be this operation's: more than one prove nothing
    missing_at: datetime | None = None  # the first 404 by id
    is_look_first: bool = False  # the last answer asks for a look before anything is sent again
    not_ready_since: datetime | None = None
    found: str = ""  # what a person should know besides, in words


def of(row: Operation) -> Evidence:
    return msgspec.convert(row.evidence, Evidence)


def packed(evidence: Evidence) -> dict[str, Any]:
    """As the row's JSON column takes it."""
    return dict(msgspec.to_builtins(evidence))


def begun(now: datetime) -> Evidence:
    """For an operation whose outcome is to be looked for from now on."""
    return Evidence(checking_since=now)
