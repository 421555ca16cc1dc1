"""The rows of promise 2. The states and their edges stand in states.py; only moves.py changes them."""

import os
import time
import uuid
from collections.abc import Mapping

from django.db import models
from django.db.models import F, Q

from cloud.models import Account, Instance
from cloud.operations.states import ENDS, HOLDING, OPEN, State


def uuid7() -> str:
    """A new id as text, growing with time (RFC 9562, version 7): rows lie in the order in which they were asked."""
    stamp = time.time_ns() // 1_000_000
    number = (stamp << 80) | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62)
    return str(uuid.UUID(int=number))


class Operation(models.Model):
    """One intent: who wants what with which machine, where it stands, and how it ended. See states.State.

    `fence` grows with every claim and every change of state: whoever read an older one writes nothing. `leased_until`
    is the end of the turn of the process that has it now. `next_check_at` is when somebody must look again; it is null
    exactly in the ends. `evidence` is evidence.Evidence, what was found by looking.
    """

    id = models.CharField(primary_key=True, max_length=36, default=uuid7, editable=False)
    client_key = models.CharField(max_length=64)  # of the form: sent twice, it is one operation
    body_hash = models.CharField(max_length=64)
    team_id = models.BigIntegerField(db_index=True)
    actor_id = models.BigIntegerField(db_index=True)
    actor_label = models.CharField(max_length=254)
    token_id = models.CharField(max_length=64, blank=True, db_index=True)
    session_hash = models.CharField(max_length=64, blank=True, db_index=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="operations")
    target = models.ForeignKey(Instance, on_delete=models.PROTECT, null=True, blank=True, related_name="operations")
    target_label = models.CharField(max_length=255, blank=True)
    provider_id = models.CharField(max_length=255, blank=True)  # of the machine; opaque
    kind = models.CharField(max_length=32)
    is_exclusive = models.BooleanField()
    params = models.JSONField(default=dict)
    sealed_params = models.TextField(blank=True)  # passwords and the like, wiped at the end
    precondition = models.JSONField(default=dict)  # the machine as it was when this was asked
    # The second person, where the team asks for one.
    approved_by = models.BigIntegerField(null=True, blank=True)
    approved_by_label = models.CharField(max_length=254, blank=True)
    retry_of = models.CharField(max_length=36, blank=True)
    batch_id = models.CharField(max_length=36, blank=True, db_index=True)  # asked for together with others (batches.py)

    state = models.CharField(max_length=32, choices=State.choices)
    fence = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=128, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)  # how often it was marked to be sent
    tries = models.PositiveIntegerField(default=0)  # of these and before, how often in a row it could not be
    task_id = models.CharField(max_length=255, blank=True)
    evidence = models.JSONField(default=dict)
    outcome = models.TextField(blank=True)  # in words, for people

    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)  # from when on it could have been sent
    sent_at = models.DateTimeField(null=True, blank=True)  # marked to be sent, the last time
    deadline_at = models.DateTimeField(null=True, blank=True)  # when that call was over at the latest
    ended_at = models.DateTimeField(null=True, blank=True)
    opened: Mapping[str, str] = {}  # the secrets, while a worker has the row in hand; no column
    is_put_aside = models.BooleanField(default=False)  # somebody has seen its trouble and needs no reminder

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("actor_id", "client_key"), name="operation_once_a_form"),
            models.UniqueConstraint(
                fields=("account", "target"),
                condition=Q(is_exclusive=True, state__in=sorted(HOLDING)),
                name="operation_one_at_a_time",
            ),
            # What is not exclusive goes on beside other kinds. Two of one kind would undo each other: an older name
            # that is sent again after a newer one would stay.
            models.UniqueConstraint(
                fields=("account", "target", "kind"),
                condition=Q(is_exclusive=False, state__in=sorted(HOLDING)),
                name="operation_one_of_its_kind",
            ),
            # Whose machine is the new one? With one launch being sent at a time the provider's answers stay apart.
            models.UniqueConstraint(
                fields=("account",),
                condition=Q(kind__in=("launch", "launch_custom"), state=State.SENDING),
                name="operation_launch_sent_alone",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(ENDS), next_check_at=None)
                | Q(state__in=sorted(OPEN), next_check_at__isnull=False),
                name="operation_is_looked_after",
            ),
        ]
        indexes = [
            models.Index(F("next_check_at"), name="operation_due", condition=Q(next_check_at__isnull=False)),
            models.Index(fields=("team_id", "-created_at", "-id"), name="operation_newest_first"),
            models.Index(fields=("target", "-created_at"), name="operation_of_a_machine"),
            models.Index(fields=("account", "task_id"), name="operation_of_a_task"),
            models.Index(fields=("account", "kind", "-created_at"), name="operation_of_a_kind"),
            models.Index(fields=("team_id", "state", "is_put_aside"), name="operation_to_look_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_label or self.provider_id} ({self.state})"


class OperationEvent(models.Model):
    """One change of state. `fence` is the operation's after it, so that a doubled one would show."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="events")
    fence = models.PositiveIntegerField()
    at = models.DateTimeField()
    before = models.CharField(max_length=32, blank=True)
    after = models.CharField(max_length=32, choices=State.choices)
    by = models.CharField(max_length=254)  # a person, or the process that did it
    words = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=("operation", "fence"), name="event_once_a_fence")]


class Attempt(models.Model):
    """One request, written down before it left. Without `ended_at` nobody knows yet whether its sender is done."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="sent")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    fence = models.PositiveIntegerField()
    sender = models.CharField(max_length=128)  # the process: processes.label()
    fingerprint = models.CharField(max_length=64)  # SHA-256 of what was asked
    marked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    offset_s = models.FloatField(null=True, blank=True)  # the provider's clock minus ours, from its Date header
    result = models.CharField(max_length=32, blank=True)  # accepted, refused, not_sent, unclear
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.TextField(blank=True)  # redacted, at most 4 KiB

    class Meta:
        ordering = ("id",)
        indexes = [models.Index(fields=("account", "-marked_at"), name="attempt_newest_first")]


class NameReservation(models.Model):
    """A name that an open operation will give to a machine: no other may promise it meanwhile.

    Not unique among machines themselves: those made outside may share a name.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="names")
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("account", "name"), condition=Q(is_open=True), name="name_reserved_once")
        ]
