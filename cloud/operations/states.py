"""The one table of states and edges (reliability.md 2). `moves.move` obeys it; nobody else changes a state.

waiting_approval → held (undo time) → queued → sending → running → succeeded | failed
sending, running → checking (not clear) → running | succeeded | not_done | queued | unclear → settled by a person
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    WAITING_APPROVAL = "waiting_approval", _("Waiting for approval")
    HELD = "held", _("Can be undone")
    QUEUED = "queued", _("Waiting")
    SENDING = "sending", _("Being sent")
    RUNNING = "running", _("Running")
    CHECKING = "checking", _("Being checked")
    UNCLEAR = "unclear", _("Please check")
    SUCCEEDED = "succeeded", _("Done")
    FAILED = "failed", _("Failed")
    NOT_DONE = "not_done", _("Did not happen")
    CANCELLED = "cancelled", _("Taken back")
    EXPIRED = "expired", _("Not sent")


EDGES: dict[State, frozenset[State]] = {
    State.WAITING_APPROVAL: frozenset({State.HELD, State.QUEUED, State.CANCELLED, State.EXPIRED}),
    State.HELD: frozenset({State.QUEUED, State.CANCELLED}),
    State.QUEUED: frozenset({State.SENDING, State.CANCELLED, State.EXPIRED}),
    State.SENDING: frozenset({State.RUNNING, State.SUCCEEDED, State.FAILED, State.QUEUED, State.CHECKING}),
    State.RUNNING: frozenset({State.SUCCEEDED, State.FAILED, State.CHECKING, State.UNCLEAR}),
    State.CHECKING: frozenset({State.RUNNING, State.SUCCEEDED, State.NOT_DONE, State.QUEUED, State.UNCLEAR}),
    State.UNCLEAR: frozenset({State.SUCCEEDED, State.NOT_DONE}),
}
ENDS = frozenset(State) - EDGES.keys()
OPEN = frozenset(EDGES)
# An exclusive operation in one of these holds its machine; one that waits for a second person does not.
HOLDING = OPEN - {State.WAITING_APPROVAL}
# Not yet sent: may be taken back by whoever asked.
UNSENT = frozenset({State.WAITING_APPROVAL, State.HELD, State.QUEUED})
# May have reached the provider, and its outcome is still to be found by looking.
SOUGHT = frozenset({State.RUNNING, State.CHECKING})
# Ends and stops that a person should know of.
TROUBLE = frozenset({State.FAILED, State.NOT_DONE, State.EXPIRED, State.UNCLEAR})
