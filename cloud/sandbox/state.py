"""What the simulated provider remembers. Moments are epoch seconds of the wall clock unless the name says `played`."""

from typing import Any

from msgspec import Struct, field


class Backup(Struct):
    """`size_bytes` of the stored data; `scheduled` ones are pruned by the schedule's retention."""

    volid: str
    size_bytes: int
    created_at: float
    notes: str | None = None
    scheduled: bool = False


class Address(Struct):
    ip_address: str
    interface_name: str
    mac_address: str
    assigned_at: float
    is_primary: bool = False


class Rule(Struct, omit_defaults=True):
    """One firewall rule; its position is its place in the list."""

    type: str
    action: str
    proto: str | None = None
    dport: str | None = None
    sport: str | None = None
    source: str | None = None
    dest: str | None = None
    comment: str | None = None
    enable: int = 1


class Firewall(Struct):
    enabled: bool = False
    policy_in: str = "ACCEPT"
    policy_out: str = "ACCEPT"
    rules: list[Rule] = field(default_factory=list)


class Schedule(Struct):
    """`day_of_week` 0 is Monday; both days are None where the frequency does not use them."""

    enabled: bool
    frequency: str
    hour: int
    minute: int
    retention_count: int
    next_at: float
    day_of_week: int | None = None
    day_of_month: int | None = None
    last_at: float | None = None


class Event(Struct):
    """One line of a machine's history."""

    event: str
    at: float
    details: dict[str, Any] = field(default_factory=dict)


class Instance(Struct):
    """A machine. `power` is the truth (running, stopped, off, paused); what is shown passes the quirks.

    creating ──task done──▶ listed ──delete task done──▶ gone (kept for its history)
    """

    uuid: str
    name: str
    region: str
    instance_type: str
    host_id: str
    vmid: int
    cpu_cores: int
    memory: int
    storage: int
    gpu_count: int
    gpu_model: str | None
    price_cents_per_hour: int
    created_at: float
    template_name: str | None
    os_type: str
    vm_username: str
    power: str = "running"
    booted_at: float | None = None
    creating: bool = False
    gone_at: float | None = None
    task_id: str | None = None  # the task that holds the machine; None when it is free
    team_id: str | None = None
    metadata: dict[str, Any] | None = None
    addresses: list[Address] = field(default_factory=list)
    backups: list[Backup] = field(default_factory=list)
    schedule: Schedule | None = None
    firewall: Firewall = field(default_factory=Firewall)
    history: list[Event] = field(default_factory=list)
    # Set behind the panel's back, wins over everything: in the list, and in GET by id.
    shown: dict[str, Any] = field(default_factory=dict)
    shown_detail: dict[str, Any] = field(default_factory=dict)


class Task(Struct):
    """Work that takes time: PENDING until `starts_played`, PROCESSING until `ends_played`, then `outcome`.

    `stays` names the state in which it is stuck for ever; `effect` False ends it without doing anything.
    """

    task_id: str
    operation: str
    vm_uuid: str | None
    created_at: float
    updated_at: float
    starts_played: float
    ends_played: float
    status: str = "PENDING"
    outcome: str = "COMPLETED"
    effect: bool = True
    stays: str | None = None
    ip_address: str | None = None
    message: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)


class TaskPlan(Struct, forbid_unknown_fields=True):
    """What the next `count` tasks (of one operation, or of any) will do instead of succeeding."""

    operation: str | None = None
    status: str = "FAILED"
    effect: bool = False
    stays: str | None = None
    message: str | None = None
    count: int = 1


class Meta(Struct):
    """The one row of everything else. `capacity` keys are `type@region`, `*` stands for any."""

    seed: int
    wall_anchor: float
    played_anchor: float
    speed: float
    quirks: dict[str, bool]
    next_vmid: int = 100
    capacity: dict[str, bool] = field(default_factory=dict)
    plans: list[TaskPlan] = field(default_factory=list)
    tasks_frozen: bool = False
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)  # launches by Idempotency-Key


class Commit(Struct):
    """One write that took effect."""

    seq: int
    at: str
    endpoint: str
    method: str
    path: str
    target: str | None
    params: dict[str, Any]
    request_id: str
    task_id: str | None
