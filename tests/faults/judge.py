"""The invariants (I1 to I9 of one operation), from what was read: rows, events, attempts, commits. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cloud.operations.states import EDGES, State
from tests.faults.book import ENDS, Attempt, Event, Operation
from tests.faults.door import ENDPOINTS, Commit, Request

EARLY_S = 0.1  # clocks of one machine, read in two processes
NOTHING = frozenset({"not_done", "cancelled", "expired"})
# Seconds as the installation counts them: cloud/timing.py, written out again on purpose.
CALL, WINDOW, GONE, AGAIN, TIRED, LIMIT, EXPIRE, NOT_READY = 45.0, 120.0, 300.0, 60.0, 600.0, 600.0, 600.0, 300.0
CREATION, MADE, LAUNCH_LIMIT = 120.0, 60.0, 1800.0  # how long the provider takes; from there to our knowing it
LAUNCHED = frozenset({"launch", "launch_custom"})


@dataclass
class Case:
    """All that is known of one operation. Of a launch: `made_at` is the end of its creation, `absence_s` how long it
    had to be looked for (in seconds of the installation's clock).
    """

    row: Operation
    events: list[Event]
    attempts: list[Attempt]
    record: list[str]
    commits: list[Commit] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    failed_tasks: frozenset[str] = frozenset()  # of its commits: those that ended without an effect
    is_machine_gone: bool = False
    made_at: float | None = None
    absence_s: float = 0.0

    @property
    def effects(self) -> int:
        return sum(commit.task_id not in self.failed_tasks for commit in self.commits)


@dataclass(frozen=True)
class Broken:
    invariant: str
    words: str
    operation_id: str = ""

    def __str__(self) -> str:
        return f"{self.invariant}: {self.words} {self.operation_id}"


def attribute(cases: Sequence[Case], commits: Sequence[Commit], requests: Sequence[Request]) -> list[Broken]:
    """Give each write to the operation that was last marked for that machine and kind before it arrived."""
    broken = []
    for commit in commits:
        owner = _owner(cases, commit.machine, commit.endpoint, commit.at, str(commit.params.get("name", "")))
        if owner is None:
            broken.append(
                Broken("I1", f"{commit.endpoint} of {commit.machine} took effect and nobody had written it down")
            )
        else:
            owner.commits.append(commit)
    for request in requests:
        owner = _owner(cases, request.machine, request.endpoint, request.at, request.name)
        if owner is None:
            broken.append(
                Broken("I1", f"{request.endpoint} of {request.machine} was sent and nobody had written it down")
            )
        else:
            owner.requests.append(request)
    return broken


def _owner(cases: Sequence[Case], machine: str, endpoint: str, at: float, name: str) -> Case | None:
    best: Case | None = None
    for case in cases:
        row = case.row
        if ENDPOINTS.get(row.kind) != endpoint or not case.attempts:
            continue
        if row.provider_id != machine and row.kind not in LAUNCHED:
            continue
        if name and row.params.get("name") != name:
            continue
        begun = case.attempts[0].marked_at
        if begun <= at + EARLY_S and (best is None or begun > best.attempts[0].marked_at):
            best = case
    return best


def judge(case: Case) -> list[Broken]:
    """What is wrong with one operation, once it had its time."""
    row = case.row
    found = [*_effects(case), *_states(case), *_record(case)]
    if not row.is_over and row.next_check_at is None:
        found.append(("I6", f"is {row.state} and nobody will look again"))
    if row.is_over and row.next_check_at is not None:
        found.append(("I6", f"is {row.state} and is to be looked at again"))
    return [Broken(invariant, words, row.id) for invariant, words in found]


def _effects(case: Case) -> list[tuple[str, str]]:
    row, found = case.row, []
    if len(case.commits) > 1:
        found.append(("I1", f"{row.kind} took effect {len(case.commits)} times"))
    if row.kind != "rename" and len(case.requests) > len(case.attempts):
        found.append(("I1", f"{len(case.requests)} requests of {len(case.attempts)} attempts"))
    is_absent = row.kind == "delete" and case.is_machine_gone
    if row.state == "succeeded" and not case.effects and not is_absent:
        found.append(("I2", f"{row.kind} is said to be done, and the log has no effect"))
    if row.state == "failed" and case.effects:
        found.append(("I3", f"{row.kind} is said to have failed, and took effect"))
    # A creation that failed leaves nothing behind: then it truly did not happen.
    if row.state in NOTHING and (case.effects if row.kind in LAUNCHED else case.commits):
        found.append(("I3", f"{row.kind} is said to be {row.state}, and took effect"))
    return found


def _states(case: Case) -> list[tuple[str, str]]:
    """One event for each change, along the table, with a fence of its own."""
    row, events, found = case.row, case.events, []
    if not events or events[0].before:
        return [("I8", "has no first event")]
    for last, event in pairwise(events):
        if event.before != last.after or event.fence <= last.fence:
            found.append(("I8", f"after {last.after}/{last.fence} comes {event.before} → {event.after}/{event.fence}"))
        if State(event.after) not in EDGES.get(State(event.before), frozenset()):
            found.append(("I8", f"{event.before} → {event.after} is no edge"))
    if events[-1].after != row.state or events[-1].fence > row.fence:
        found.append(
            ("I8", f"is {row.state}/{row.fence}, and its last event says {events[-1].after}/{events[-1].fence}")
        )
    # A task that is found before a second try goes through `sending` in one moment, without a request.
    passed = sum(last.after == "sending" and last.at == event.at for last, event in pairwise(events))
    marks = sum(event.after == "sending" for event in events)
    if not marks - passed <= len(case.attempts) <= marks:
        found.append(("I8", f"{len(case.attempts)} attempts, and its events say {marks}"))
    found += [("I8", words) for words in _old_hands(case)]
    if sum(event.after in ENDS for event in events) > 1:
        found.append(("I7", "ended more than once"))
    return found


def _old_hands(case: Case) -> Iterator[str]:
    """Who sent an earlier request than the last one was given up: it ends the row's `sending` no more. Unless it took
    the row up anew, as whoever comes after a dead sender: then the fence has grown by that turn as well (seed 1069).
    """
    for event in case.events:
        before = [attempt for attempt in case.attempts if attempt.marked_at <= event.at]
        sent = [attempt.sender for attempt in before]
        is_old = event.before == "sending" and event.by in sent[:-1] and event.by != sent[-1]
        if is_old and event.fence == before[-1].fence + 1:
            yield f"{event.by} was given up, and wrote {event.before} → {event.after}"


def _record(case: Case) -> list[tuple[str, str]]:
    """The intent once, the outcome once."""
    kind, said = f"instance.{case.row.kind}", case.record
    found = []
    if said.count(f"{kind}.requested") != 1:
        found.append(("I8", f"the intent stands on the record {said.count(f'{kind}.requested')} times"))
    outcomes = [code for code in said if code.removeprefix(f"{kind}.") in ENDS | {"undone", "denied", "settled"}]
    if len(outcomes) != case.row.is_over:
        found.append(("I8", f"{len(outcomes)} outcomes on the record of one that is {case.row.state}"))
    return found


def overlaps(cases: Sequence[Case]) -> list[Broken]:
    """I5: two open exclusive operations of one machine."""
    broken = []
    own = [case for case in cases if case.row.is_exclusive]
    for number, case in enumerate(own):
        for other in own[number + 1 :]:
            ends = [each.row.ended_at or float("inf") for each in (case, other)]
            is_apart = ends[0] <= other.row.created_at or ends[1] <= case.row.created_at
            is_one = case.row.target_id is not None and case.row.target_id == other.row.target_id
            if is_one and not is_apart:
                broken.append(Broken("I5", f"was open together with {other.row.id}", case.row.id))
    return broken


Times = Sequence[tuple[float, float]]  # begin and end of each


def rest_s(case: Case, blows: Times) -> float:
    """From the last fault that met it, or its beginning, to its end, in real seconds.

    A blow lasts until the house stands again. What it does to an operation that was not yet over is such a fault.
    """
    end = case.row.ended_at or 0.0
    faults = [request.at + (request.seconds or 0) for request in case.requests if request.fault]
    faults += [stop for start, stop in blows if case.row.created_at < stop and start < end]
    return max(0.0, end - max([case.row.created_at, *(at for at in faults if at < end)]))


def is_late(case: Case, blows: Times, scale: float) -> bool:
    """I9, with the times in which somebody was struck taken out: nothing can come to rest in them."""
    row = case.row
    if row.ended_at is None:
        return False
    faults = [request.at + (request.seconds or 0) for request in case.requests if request.fault]
    begin = max([row.created_at, *(at for at in faults if at < row.ended_at)])
    if row.kind in LAUNCHED and case.attempts:  # one is sent at a time: what it waits in line is another's fault
        begin = max(begin, case.attempts[0].marked_at)
    is_past = _rested_s(begin, row.ended_at, blows) * scale > allowed_s(case)
    if case.made_at is None or row.state != "succeeded":
        return is_past
    return is_past and _rested_s(max(begin, case.made_at), row.ended_at, blows) * scale > MADE


def _rested_s(begin: float, end: float, blows: Times) -> float:
    """The time in between without that in which somebody was struck."""
    return end - begin - sum(max(0.0, min(end, stop) - max(begin, start)) for start, stop in blows)


def allowed_s(case: Case) -> float:
    """How long it may take after the last fault, by the rules (seconds of the installation's clock)."""
    allowed, states = 120.0, [event.after for event in case.events]
    for attempt in case.attempts:
        silent = attempt.ended_at is None or attempt.result == ""
        allowed += (CALL + WINDOW + 2 * AGAIN if "checking" in states else 0) + (GONE if silent else 0)
    if case.row.kind in LAUNCHED and "checking" in states:
        allowed += case.absence_s + CREATION  # a stranger's task in the window must have shown its machine, too
    if "unclear" in states:
        allowed += LAUNCH_LIMIT if case.row.kind in LAUNCHED else TIRED + LIMIT
    if "expired" in states:
        allowed += EXPIRE
    return allowed + (NOT_READY if case.row.evidence.get("not_ready_since") else 0)
