"""Operations and actions in words: states, heads, reasons. Templates print what stands here and compare nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cloud.models import Instance
from cloud.operations.kind import Tier
from cloud.operations.models import Operation
from cloud.operations.states import HOLDING, OPEN, UNSENT, State
from panel.actions import table
from panel.actions.forms import new_key
from panel.actions.table import Action
from panel.approvals import services as approvals
from panel.money import a_month, dollars
from panel.teams import policy
from panel.teams.policy import Actor, Permission

LATELY = 5
LAUNCH_PAGES = {"launch": "launch:new", "launch_custom": "launch:own"}
HISTORY = 20  # the last ones of a kind, from which the usual time is told
LOOKS: dict[State, tuple[str, Any]] = {
    State.WAITING_APPROVAL: ("wait", _lazy("Waiting for approval")),
    State.HELD: ("del", _lazy("Can be undone")),
    State.QUEUED: ("busy", _lazy("Waiting")),
    State.SENDING: ("busy", _lazy("Asking")),
    State.RUNNING: ("busy", _lazy("Going on")),
    State.CHECKING: ("busy", _lazy("Checking")),
    State.UNCLEAR: ("check", _lazy("Please check")),
    State.SUCCEEDED: ("run", _lazy("Done")),
    State.FAILED: ("bad", _lazy("Failed")),
    State.NOT_DONE: ("bad", _lazy("Did not happen")),
    State.CANCELLED: ("off", _lazy("Not carried out")),
    State.EXPIRED: ("bad", _lazy("Not sent")),
}


@dataclass(frozen=True)
class OperationState:
    """An operation's state in a word; `left_until` while it can be undone, `since` while it goes on."""

    look: str
    word: Any
    left_until: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Told:
    """One operation as lists and cards show it."""

    row: Operation
    verb: Any
    state: OperationState
    machine: str
    words: str
    can_undo: bool = False
    can_answer: bool = False  # approve or reject
    can_retry: bool = False
    can_ask_again: bool = False  # by its confirmation: it may lose data
    took_s: float | None = None  # from the click to the end, of what was carried out
    new_name: str = ""  # that a machine is to have instead of its own
    launch_page: str = ""  # where a launch is asked for again with the same inputs
    can_settle: bool = False
    can_put_aside: bool = False


def state_of(row: Operation) -> OperationState:
    state = State(row.state)
    look, word = LOOKS[state]
    if state is State.HELD:
        return OperationState(look, _("Undo within"), left_until=row.next_check_at)
    return OperationState(look, word, since=row.created_at if state in OPEN else None)


def verb(row: Operation) -> Any:
    action = table.of(row.kind)
    return action.verb if action else row.kind


def told(row: Operation, actor: Actor) -> Told:
    """An operation for one reader: what it is, how it stands, and what this person may do about it."""
    action, state = table.of(row.kind), State(row.state)
    may = bool(action) and policy.allowed(actor, action.permission, row) if action else False
    may_settle = policy.allowed(actor, Permission.OPERATION_SETTLE, row)
    has_ended_badly = state in {State.FAILED, State.NOT_DONE, State.EXPIRED}
    is_there = row.target is None or row.target.gone_at is None
    may_repeat = may and has_ended_badly and is_there and not row.is_put_aside
    makes = bool(action and action.makes)
    return Told(
        row,
        verb(row),
        state_of(row),
        row.target_label,
        row.outcome if not makes else _launch_words(row),
        can_undo=(may or row.actor_id == actor.user_id) and state in UNSENT,
        can_answer=state is State.WAITING_APPROVAL and approvals.may_approve(actor, row),
        can_retry=may_repeat and not action.may_lose and not makes if action else False,
        can_ask_again=may_repeat and action.may_lose if action else False,
        new_name=row.params.get("name", "") if not makes else "",
        took_s=(row.ended_at - row.created_at).total_seconds() if row.ended_at and row.sent_at else None,
        launch_page=LAUNCH_PAGES.get(row.kind, "") if may_repeat else "",
        can_settle=may_settle and state is State.UNCLEAR,
        can_put_aside=may and has_ended_badly and not row.is_put_aside,
    )


def with_usual(rows: Sequence[Told]) -> list[tuple[Told, int | None]]:
    """Each with how long its kind usually takes. One query a kind and account."""
    usual = {(told.row.account_id, told.row.kind): told.row for told in rows}
    known = {key: usual_s(row) for key, row in usual.items()}
    return [(told, known[told.row.account_id, told.row.kind]) for told in rows]


def _launch_words(row: Operation) -> str:
    """A launch that failed and whose machine is there all the same costs money: that is said first."""
    is_there = row.state == State.FAILED and row.target is not None and not row.target.is_awaited
    if not is_there or row.target is None or row.target.gone_at:
        return row.outcome
    return _("Blue Lobster said that it failed, and yet the machine is there and costs money. Delete it, or keep it.")


def said(row: Operation) -> str:
    """What was just written down, in one sentence."""
    named = {"verb": verb(row), "name": row.target_label}
    if row.state == State.WAITING_APPROVAL:
        return _("%(verb)s %(name)s: asked for. A second person must approve it.") % named
    if row.state == State.HELD:
        return _("%(verb)s %(name)s: nothing has been sent yet.") % named
    return _("%(verb)s %(name)s: written down, it is sent now.") % named


def holder(row: Operation) -> dict[str, Any]:
    """Who has the machine, for whoever came second."""
    return {"verb": verb(row), "who": row.actor_label, "at": row.created_at, "state": state_of(row)}


def offers(actor: Actor, machine: Instance) -> dict[str, Any]:
    """The actions of one machine for one person: in plain sight, behind "More", and why some are off right now."""
    actions = list(table.offered_to(actor, machine))
    holds = _held_by(machine) if actions else None
    lock = Permission.INSTANCE_UNLOCK if machine.is_locked else Permission.INSTANCE_LOCK
    context = {
        "everyday": [action for action in actions if action.is_everyday],
        "quiet": [action for action in actions if action.kind.tier is Tier.REVERSIBLE],
        "risky": [action for action in actions if action.may_lose],
        "may_lock": machine.gone_at is None and policy.allowed(actor, lock, machine),
        "why": _why_off(holds) if holds else "",
    }
    return context | {"has_more": bool(context["quiet"] or context["risky"] or context["may_lock"])}


def history(actor: Actor, machine: Instance) -> dict[str, Any]:
    """The machine's last operations, and the one that it shows now: what goes on with it, or went wrong."""
    rows = list(Operation.objects.filter(target=machine).order_by("-created_at", "-id")[:LATELY])
    for row in rows:
        row.target = machine
    shows = next((row for row in rows if row.pk == machine.operation_id), None)
    context: dict[str, Any] = {"lately": [told(row, actor) for row in rows], "key": new_key()}
    if shows is not None:
        context |= {"current": told(shows, actor), "steps": steps(shows), "usual_s": usual_s(shows)}
    return context


def question(actor: Actor, action: Action, machine: Instance) -> dict[str, Any]:
    """What a confirmation says besides its sentence: what is lost, what it saves, whether a second person must agree,
    how long it can be undone.
    """
    takes_two = action.name in actor.pairs.get(machine.team_id, ())
    named = {"verb": action.verb, "name": machine.label}
    button = _("Ask: %(verb)s %(name)s") if takes_two else _("%(verb)s %(name)s")
    return {
        "title": _("%(verb)s %(name)s?") % named,
        "button": button % named,
        "takes_two": takes_two,
        "effects": effects(action, machine),
        "undo_s": settings.UNDO_SECONDS if action.kind.has_undo else 0,
    }


def usual_s(row: Operation) -> int | None:
    """How long such an operation usually took here, in seconds; None while too few are known. One query."""
    done = Operation.objects.filter(account=row.account_id, kind=row.kind, state=State.SUCCEEDED)
    spans = [
        (ended - sent).total_seconds()
        for sent, ended in done.order_by("-created_at").values_list("sent_at", "ended_at")[:HISTORY]
        if sent and ended
    ]
    return round(median(spans)) if len(spans) >= 3 else None


def steps(row: Operation) -> Sequence[tuple[str, Any, datetime | None]]:
    """The way of an operation: (done, now or nothing; words; when)."""
    reached = {State(event.after): event.at for event in row.events.all()}
    action = table.of(row.kind)
    makes = bool(action and action.makes)
    first = ((State.WAITING_APPROVAL, _("Waiting for approval")), (State.HELD, _("Can be undone")))
    held = [(state, words) for state, words in first if state in reached]
    work = _("Being built") if makes else _("At work")
    way = [*held, (State.QUEUED, _("Written down")), (State.SENDING, _("Asked")), (State.RUNNING, work)]
    if State.CHECKING in reached:
        way.append((State.CHECKING, _("Checking what happened")))
    here = State(row.state)
    if here not in OPEN:
        taken = [("done", words, reached[state]) for state, words in way if state in reached]
        end = _("Ready") if makes and here is State.SUCCEEDED else LOOKS[here][1]
        return [*taken, ("done", end, row.ended_at)]
    if here is State.UNCLEAR:
        way.append((here, LOOKS[here][1]))
    place = [state for state, _words in way].index(here)
    found = [
        ("done" if number < place else "now" if number == place else "", words, reached.get(state))
        for number, (state, words) in enumerate(way)
        if number >= place or state in reached
    ]
    if makes:
        return _booting(row, found)
    return [*found, ("", _("Seen at Blue Lobster"), None)]


def _booting(row: Operation, found: list[tuple[str, Any, datetime | None]]) -> list[tuple[str, Any, datetime | None]]:
    """The last steps of a launch: built, the machine boots, and it is ready when the list has it."""
    is_built = row.state == State.RUNNING and bool(row.evidence.get("completed_at"))
    if is_built:
        found[-1] = ("done", *found[-1][1:])
    return [*found, ("now" if is_built else "", _("Starting up"), None), ("", _("Ready"), None)]


def evidence(row: Operation) -> list[tuple[Any, str]]:
    """What is known of an operation beside its words, for whoever must judge it: (what, value)."""
    found, task = row.evidence, row.task_id
    power = {"absent": _("not in the list"), "unknown": _("not said")}
    facts = [
        (
            _("What Blue Lobster's task said"),
            " ".join(filter(None, (found.get("task_status"), found.get("task_said")))),
        ),
        (_("The machine, when last looked at"), power.get(found.get("power", ""), found.get("power", ""))),
        (_("Before it was asked"), power.get(row.precondition.get("power", ""), row.precondition.get("power", ""))),
        (_("How often it was sent"), str(row.attempts)),
        (_("Blue Lobster's task"), task),
        (_("An unknown task"), found.get("strange_task", "")),
        (_("Reason given"), found.get("found", "")),
    ]
    return [(what, value) for what, value in facts if value]


def effects(action: Action, machine: Instance) -> list[tuple[str, str, str]]:
    """(icon, class, sentence): each thing that is lost, or gained."""
    if not action.may_lose:
        return []
    price = machine.price_cents_per_hour
    effects = [(action.icon, "", str(action.effect))]
    if action.kind.tier is Tier.IRREVERSIBLE:
        if machine.storage_gib:
            size = {"size": f"{machine.storage_gib:g}"}
            words = _("The disk, %(size)s GiB. Everything on it is gone. Nobody can bring it back.")
            effects = [("disc", "", words % size)]
        effects += [("archive", "", _("Its backups: Blue Lobster does not promise to keep them, do not rely on them."))]
        if machine.ip_address:
            address = {"address": machine.ip_address}
            effects += [("world", "", _("Its address %(address)s is given back and may go to others.") % address)]
        if price:
            saved = {"hour": dollars(price), "month": dollars(a_month(price))}
            effects += [("coin", "good", _("Saves %(hour)s an hour, %(month)s a month.") % saved)]
    elif action.name == "force_off" and price and settings.OFF_MAY_COST:
        effects += [("coin", "", _("It may still cost %(hour)s an hour while it is off.") % {"hour": dollars(price)})]
    return effects


def _held_by(machine: Instance) -> Operation | None:
    """The exclusive operation that has the machine now."""
    return (
        Operation.objects.filter(target=machine, is_exclusive=True, state__in=HOLDING).order_by("-created_at").first()
    )


def _why_off(row: Operation) -> str:
    words = {"verb": verb(row), "who": row.actor_label}
    if row.state == State.UNCLEAR:
        return _("Other actions wait until somebody has checked how “%(verb)s” by %(who)s ended.") % words
    return _("Other actions wait for “%(verb)s” by %(who)s.") % words
