"""The cache: what the panel last knew of each provider account. Pages read it, `sync` writes it.

People and teams are named by plain indexed columns, never by foreign keys: the arrows go from panel to cloud.
"""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cloud.gpus import short_name, vram_gb


class Account(models.Model):
    """One key at the provider. The key is sealed to the workers: this process may store it and cannot read it."""

    class Key(models.TextChoices):
        UNTESTED = "untested", _("being tested")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("rejected")

    name = models.CharField(max_length=64, unique=True)
    base_url = models.CharField(max_length=300)
    is_sandbox = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    sealed_key = models.TextField()
    key_hint = models.CharField(max_length=8, blank=True)  # the last four characters, for people to tell keys apart
    key_state = models.CharField(max_length=16, choices=Key.choices, default=Key.UNTESTED)
    key_stored_at = models.DateTimeField()
    # A key that is to take the place of a good one: only when the provider accepts it (cloud/trial.py).
    next_sealed_key = models.TextField(blank=True)
    next_key_hint = models.CharField(max_length=8, blank=True)
    is_next_key_refused = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # The provider's own word on its health, and the machines that a mass disappearance holds for a person.
    health = models.CharField(max_length=32, blank=True)
    held_missing = models.PositiveIntegerField(default=0)
    missing_confirmed_at = models.DateTimeField(
        null=True, blank=True
    )  # a person said that what was missing then is gone
    silent_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Refresh(models.Model):
    """One part of an account's cache, and when it is to be read again.

    The row decides, not the message: whoever moves `fence` forward holds the part until `leased_until`.
    `done_at` is the age of what pages show. Failures are counted until the next success.
    """

    class Part(models.TextChoices):
        INSTANCES = "instances", _("Machines")
        CATALOGUE = "catalogue", _("Types and prices")
        TEMPLATES = "templates", _("Images")
        TASKS = "tasks", _("Tasks")
        HEALTH = "health", _("Its own status")
        STATS = "stats", _("Load")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="refreshes")
    part = models.CharField(max_length=16, choices=Part.choices)
    due_at = models.DateTimeField(db_index=True)
    fence = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("account", "part"), name="refresh_once_a_part")]

    def __str__(self) -> str:
        return f"{self.account_id}/{self.part}"


class InstanceQuerySet(models.QuerySet["Instance"]):
    def present(self) -> "InstanceQuerySet":
        return self.filter(gone_at=None)


class Instance(models.Model):
    """One machine as last reported. A machine that vanishes keeps its row, with `gone_at`.

    Null in a column means that the provider did not say. Text columns that lists sort by are never null.
    """

    class Power(models.TextChoices):
        RUNNING = "running", _("Running")
        STOPPED = "stopped", _("Off")
        PAUSED = "paused", _("Paused")
        UNKNOWN = "unknown", _("Unknown")

    class Rank(models.IntegerChoices):
        """The order of a list sorted by state: what needs a person first."""

        UNMADE = 54  # its launch failed; it stands in the list until somebody has seen that
        AWAITED = 55
        RUNNING = 60
        UNKNOWN = 70
        PAUSED = 80
        OFF = 85
        GONE = 90

    class Attention(models.IntegerChoices):
        """What goes on with it, in the order of a list sorted by state."""

        FAILED = 10, _("Needs attention")
        UNCLEAR = 20, _("Please check")
        BUSY = 30, _("Busy")
        CALM = 50, _("Nothing going on")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="instances")
    provider_id = models.CharField(max_length=255)  # opaque: `vm-abc123`, a UUID, anything
    team_id = models.BigIntegerField()
    name = models.CharField(max_length=255)
    power = models.CharField(max_length=16, choices=Power.choices, default=Power.UNKNOWN)
    last_power = models.CharField(max_length=16, choices=Power.choices, blank=True)  # before it became unknown
    last_power_at = models.DateTimeField(null=True, blank=True)
    rank = models.PositiveSmallIntegerField(choices=Rank.choices, default=Rank.UNKNOWN)
    ip_address = models.CharField(max_length=64, blank=True)
    internal_ip = models.CharField(max_length=64, blank=True)
    region = models.CharField(max_length=128, blank=True)  # the name, as instances report it
    host_id = models.CharField(max_length=128, blank=True)
    type_name = models.CharField(max_length=128, blank=True)
    type_label = models.CharField(max_length=160, blank=True)  # "2× A6000", "CPU"
    cpu_cores = models.PositiveIntegerField(null=True)
    memory_gib = models.FloatField(null=True)
    storage_gib = models.FloatField(null=True)
    gpu_count = models.PositiveIntegerField(null=True)
    gpu_model = models.CharField(max_length=128, blank=True)
    price_cents_per_hour = models.IntegerField(null=True)
    template_name = models.CharField(max_length=128, blank=True)
    template_label = models.CharField(max_length=128, blank=True)
    os_type = models.CharField(max_length=64, blank=True)
    username = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()  # the provider's created_at, else when we first saw it
    # A launch promised it and no list has had it yet. Its id is "launch:…" until the provider's is known.
    is_awaited = models.BooleanField(default=False)
    prepares_until = models.DateTimeField(null=True, blank=True)  # a new GPU machine builds its driver at first boot
    labels = models.JSONField(default=dict, blank=True)  # what people wrote on it: the provider keeps none
    is_locked = models.BooleanField(default=False)  # protected: nothing in here deletes it
    # What goes on with it, written by the engine alone (cloud/operations/moves.py), never by a sync.
    attention = models.PositiveSmallIntegerField(choices=Attention.choices, default=Attention.CALM)
    operation_id = models.CharField(max_length=36, blank=True)
    operation_kind = models.CharField(max_length=32, blank=True)
    operation_state = models.CharField(max_length=32, blank=True)
    operation_at = models.DateTimeField(null=True, blank=True)  # when it began, or when its undo time ends
    search = models.TextField(blank=True)  # folded name, addresses, type: one column to look through
    raw = models.JSONField(default=dict)  # all that the provider said, unknown fields included
    digest = models.CharField(max_length=32, blank=True)  # of `raw`: what a sync compares; none while missing or gone
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("account", "provider_id"), name="instance_once_an_account")]
        # One index for each order a list offers; `id` makes every order total, which keyset paging needs.
        indexes = [
            models.Index(fields=("team_id", "attention", "rank", "name", "id"), name="instance_by_state"),
            models.Index(fields=("team_id", "name", "id"), name="instance_by_name"),
            models.Index(fields=("team_id", "type_label", "name", "id"), name="instance_by_type"),
            models.Index(fields=("team_id", "region", "name", "id"), name="instance_by_region"),
            models.Index(
                F("team_id"), Coalesce("price_cents_per_hour", -1), F("name"), F("id"), name="instance_by_price"
            ),
            models.Index(fields=("team_id", "started_at", "id"), name="instance_by_age"),
            models.Index(fields=("account",), name="instance_awaited", condition=Q(is_awaited=True)),
            models.Index(fields=("account",), name="instance_prepares", condition=Q(prepares_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return self.name or gettext("(no name)")

    @property
    def vram_gb(self) -> int | None:
        return vram_gb(self.gpu_model, self.gpu_count or 1) if self.gpu_model else None


def type_label(gpu_count: int | None, gpu_model: str) -> str:
    """What a machine is, in a word: "2× A6000", "CPU", or empty when nothing is known."""
    if gpu_model and gpu_count != 0:
        return f"{gpu_count or 1}× {short_name(gpu_model)}"
    return "CPU" if gpu_count == 0 else ""


class Tally(models.Model):
    """What a list's heading says of one team's machines in one account, counted when a sync changed them.

    `states` maps Rank to count, gone machines included; `cents_per_hour` adds up what is not gone.
    `regions` and `types` are the distinct values that the filters offer.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tallies")
    team_id = models.BigIntegerField()
    states = models.JSONField(default=dict)
    cents_per_hour = models.BigIntegerField(default=0)
    unpriced = models.PositiveIntegerField(default=0)  # present machines whose price is not known
    regions = models.JSONField(default=list)
    types = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("account", "team_id"), name="tally_once_a_team")]


class InstanceType(models.Model):
    """A size that the provider offers, with the regions that have room for it now."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="types")
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=255, blank=True)
    vcpus = models.PositiveIntegerField(null=True)
    memory_gib = models.FloatField(null=True)
    storage_gib = models.FloatField(null=True)
    gpu_count = models.PositiveIntegerField(null=True)
    gpu_model = models.CharField(max_length=128, blank=True)
    price_cents_per_hour = models.IntegerField(null=True)
    regions = models.JSONField(default=list)  # [{"code": "igl", "name": "Wilmington", "place": "Wilmington, Delaware"}]

    class Meta:
        constraints = [models.UniqueConstraint(fields=("account", "name"), name="type_once_an_account")]
        ordering = ("name",)


class Template(models.Model):
    """An image that the provider offers."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(max_length=128)
    label = models.CharField(max_length=255, blank=True)
    os_type = models.CharField(max_length=64, blank=True)
    has_nvidia = models.BooleanField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("account", "name"), name="template_once_an_account")]
        ordering = ("name",)


class ProviderTask(models.Model):
    """A line of the provider's own task list; it may have been started outside the panel."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="provider_tasks")
    task_id = models.CharField(max_length=255)
    operation = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=32, blank=True)
    instance_provider_id = models.CharField(max_length=255, blank=True, db_index=True)
    message = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()  # when we first saw it, where the provider does not say
    updated_at = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("account", "task_id"), name="task_once_an_account")]
        indexes = [models.Index(fields=("-created_at", "-id"), name="task_newest_first")]

    UNFINISHED = ("PENDING", "PROCESSING")


class Process(models.Model):
    """A worker or sweeper that runs or ran, and its last sign of life. A label is never used twice."""

    class Kind(models.TextChoices):
        WORKER = "worker"
        SWEEPER = "sweeper"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    label = models.CharField(max_length=128, unique=True)  # host and process id
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()


class Lease(models.Model):
    """One hand at a time for work that only one process may do, such as sweeping."""

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=128, blank=True)
    until = models.DateTimeField()

    @classmethod
    def take(cls, name: str, holder: str, now: datetime, for_s: float) -> bool:
        """True when `holder` has the lease until now + for_s seconds. Two queries at most, no waiting."""
        until = now + timedelta(seconds=for_s)
        too_late = now + timedelta(seconds=2 * for_s)  # given before the clock went back
        free = cls.objects.filter(Q(holder=holder) | Q(until__lt=now) | Q(until__gt=too_late), name=name)
        if free.update(holder=holder, until=until):
            return True
        _lease, is_new = cls.objects.get_or_create(name=name, defaults={"holder": holder, "until": until})
        return is_new
