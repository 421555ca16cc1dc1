"""The record: rows that are only ever added, each carrying the hash of the one before.

    Head ──▶ Entry n ──▶ Entry n-1 ──▶ … ──▶ Entry 1 ──▶ 64 zeros
                 ▲
    Checkpoint ──┘  signed by a key that the database does not hold

Names are copied and there are no foreign keys: setting one null would be an update. The database refuses what is not
an append (guards.py). What a row's hash covers stands in canonical.py.
"""

from typing import Any

import msgspec
from django.db import models

GENESIS = "0" * 64  # the hash "before" the first row


class Outcome(models.TextChoices):
    OK = "ok"
    FAIL = "fail"
    DENIED = "denied"


class Entry(models.Model):
    """One thing that happened. `code` is dotted and in the past tense: `instance.shutdown.requested`.

    `sequence` has no gaps and is given by record.py, never by the database. `detail` is JSON text in canonical form,
    without secrets, at most 4 KiB; it is hashed as it is stored.
    """

    sequence = models.BigIntegerField(primary_key=True)
    version = models.SmallIntegerField(default=1)
    at = models.DateTimeField()
    code = models.CharField(max_length=80)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=254, blank=True)
    token_id = models.BigIntegerField(null=True)
    session_hash = models.CharField(max_length=16, blank=True)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    team_id = models.BigIntegerField(null=True)
    team_label = models.CharField(max_length=64, blank=True)
    target_kind = models.CharField(max_length=40, blank=True)
    target_id = models.CharField(max_length=200, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    operation_id = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.OK)
    detail = models.TextField(default="{}")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=("team_id", "sequence"), name="audit_entry_team"),
            models.Index(fields=("actor_id", "sequence"), name="audit_entry_actor"),
            models.Index(fields=("code", "sequence"), name="audit_entry_code"),
            models.Index(fields=("operation_id",), name="audit_entry_operation"),
            models.Index(fields=("target_kind", "target_id", "sequence"), name="audit_entry_target"),
            models.Index(fields=("at",), name="audit_entry_at"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.code}"

    @property
    def details(self) -> dict[str, Any]:
        """`detail`, read."""
        found: dict[str, Any] = msgspec.json.decode(self.detail)
        return found


class Head(models.Model):
    """The one row that says where the record ends. Whoever appends takes it first, so appends queue up."""

    ROW = 1
    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_head_is_one_row")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"


class Checkpoint(models.Model):
    """What the record's end was at a time, signed. `number` has no gaps; `key_id` names the key (checkpoints.py)."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    sequence = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=88)  # base64 of 64 bytes

    def __str__(self) -> str:
        return f"{self.number}: {self.sequence} {self.hash}"


class Fold(models.Model):
    """Denials of one kind in the running minute: the first is an entry, `count` more were not written down yet.

    `entry` is what the first one said, as JSON, for the row that tells how many followed.
    """

    key = models.CharField(max_length=64, unique=True)
    since = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)
    entry = models.TextField()

    def __str__(self) -> str:
        return f"{self.count} since {self.since}"


class Verification(models.Model):
    """The one row that says when the record was last looked at as a whole, and what was found. Not part of the record.

    asked_at > at: somebody wants it looked at now. begun_at is set by the process that is at it.
    """

    ROW = 1
    asked_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)
    at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    checkpoints = models.BigIntegerField(default=0)
    took_s = models.FloatField(default=0)
    faults = models.JSONField(default=list)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_verification_is_one_row")]

    def __str__(self) -> str:
        return f"{self.at}: {self.rows} rows, {len(self.faults)} faults"

    @property
    def is_whole(self) -> bool:
        return self.at is not None and not self.faults
