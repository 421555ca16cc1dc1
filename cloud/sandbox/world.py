"""The state of the simulated provider and the only way to change it: alter things, `touch` them, then `save`."""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cloud.sandbox import quirks, show
from cloud.sandbox.addresses import AddressPool, mac_of
from cloud.sandbox.clock import SandboxClock, iso
from cloud.sandbox.errors import conflict, invalid_state, not_found
from cloud.sandbox.state import Address, Commit, Event, Instance, Meta, Task
from cloud.sandbox.store import Store

TASK_KEPT_S = 8 * 86400.0


@dataclass(frozen=True)
class Caller:
    """The call a write came by, as the commit log names it."""

    endpoint: str
    method: str
    path: str
    request_id: str


@dataclass
class World:
    """Everything the provider knows. One event loop uses it, so that nothing runs between a check and its change."""

    store: Store
    clock: SandboxClock
    meta: Meta
    instances: dict[str, Instance] = field(default_factory=dict)
    gone: dict[str, Instance] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    due: list[tuple[float, str]] = field(default_factory=list)  # heap: played moment, task id
    calendar: list[tuple[float, str]] = field(default_factory=list)  # heap: wall moment, uuid with a schedule
    pool: AddressPool = field(default_factory=AddressPool)
    rng: random.Random = field(default_factory=random.Random)
    seq: int = 0
    _changed: dict[tuple[str, str], msgspec.Struct | None] = field(default_factory=dict)
    _rows: dict[str, bytes] = field(default_factory=dict)
    _list: bytes | None = None

    # Finding

    def listed(self, uuid_: str) -> Instance:
        """A machine as readers see it. Raises 404 while its creation hides it."""
        instance = self.instances.get(uuid_)
        if instance is None or (instance.creating and self.meta.quirks["hidden_until_created"]):
            raise not_found("Instance")
        return instance

    def ready(self, uuid_: str) -> Instance:
        """A machine that can be changed. Raises 404, or 400 `invalid_state` while it is being created."""
        instance = self.instances.get(uuid_)
        if instance is not None and instance.creating and self.meta.quirks["early_invalid_state"]:
            raise invalid_state("VM is still being created, try again later")
        if self.listed(uuid_).creating:
            raise conflict("busy", "VM is being created")
        return self.instances[uuid_]

    def free(self, uuid_: str) -> Instance:
        """A machine that no task holds. Raises as `ready`, or 409 `busy`."""
        instance = self.ready(uuid_)
        if instance.task_id is not None:
            raise conflict("busy", f"VM is locked by task {instance.task_id}")
        return instance

    def visible(self) -> list[Instance]:
        """The machines that the list shows, in the order of their making."""
        hide = self.meta.quirks["hidden_until_created"]
        return [each for each in self.instances.values() if not (each.creating and hide)]

    def list_json(self) -> bytes:
        """The body of GET /instances. Rows are encoded once and kept until their machine changes."""
        if self._list is None:
            self._list = b"[" + b",".join(map(self._row, self.visible())) + b"]"
        return self._list

    def _row(self, instance: Instance) -> bytes:
        row = self._rows.get(instance.uuid)
        if row is None:
            row = msgspec.json.encode(show.instance_row(instance, self.meta.quirks, detail=False))
            self._rows[instance.uuid] = row
        return row

    # Changing

    def touch(self, thing: Instance | Task | Meta) -> None:
        """Mark a changed thing for the next `save`."""
        if isinstance(thing, Instance):
            self._changed["instance", thing.uuid] = thing
            self._rows.pop(thing.uuid, None)
            self._list = None
        elif isinstance(thing, Task):
            self._changed["task", thing.task_id] = thing
        else:
            self._changed["meta", "meta"] = thing

    def set_quirks(self, switches: dict[str, bool]) -> None:
        """Turn oddities on and off; every row may look different afterwards."""
        self.meta.quirks |= switches
        self.touch(self.meta)
        self._rows.clear()
        self._list = None

    def forget_task(self, task: Task) -> None:
        """Let a task vanish, so that asking for it answers 404."""
        self.tasks.pop(task.task_id, None)
        self._changed["task", task.task_id] = None

    def note(
        self, instance: Instance, event: str, details: dict[str, Any] | None = None, at: float | None = None
    ) -> None:
        """Write a line of history and mark the machine as changed."""
        instance.history.append(Event(event, self.clock.now() if at is None else at, details or {}))
        self.touch(instance)

    def add(self, instance: Instance) -> None:
        self.instances[instance.uuid] = instance
        self.touch(instance)

    def remove(self, instance: Instance, at: float) -> None:
        """Take a machine away with its backups and addresses; its history stays readable."""
        for address in instance.addresses:
            self.pool.give_back(address.ip_address)
        instance.gone_at, instance.task_id, instance.schedule = at, None, None
        instance.addresses, instance.backups = [], []
        self.instances.pop(instance.uuid, None)
        self.gone[instance.uuid] = instance
        self.touch(instance)

    def assign_address(self, instance: Instance, at: float) -> Address:
        """Give the machine one more address, the first being its primary. Raises 409 when none is left."""
        ip = self.pool.take()
        if ip is None:
            raise conflict("no_capacity", "No IP address available in this region")
        used = {each.interface_name for each in instance.addresses}
        name = next(f"net{n}" for n in range(len(used) + 1) if f"net{n}" not in used)
        address = Address(ip, name, mac_of(ip), at, is_primary=not instance.addresses)
        instance.addresses.append(address)
        self.touch(instance)
        return address

    def new_vmid(self) -> int:
        self.meta.next_vmid += 1
        self.touch(self.meta)
        return self.meta.next_vmid

    def new_id(self) -> str:
        """A UUID, as the live service has for machines and tasks."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def save(
        self,
        caller: Caller | None = None,
        *,
        target: str | None = None,
        params: dict[str, Any] | None = None,
        task_id: str | None = None,
    ) -> None:
        """Put what was touched on disk; with a caller, as one entry of the commit log in the same transaction."""
        commit = None
        if caller is not None:
            commit = Commit(
                self.seq + 1, iso(self.clock.now()), caller.endpoint, caller.method, caller.path, target, params or {},
                caller.request_id, task_id,
            )  # fmt: skip
        if not self._changed and commit is None:
            return
        changes = [
            (kind, key, None if thing is None else msgspec.json.encode(thing))
            for (kind, key), thing in self._changed.items()
        ]
        self.store.save(changes, commit)
        self._changed.clear()
        self.seq += commit is not None


def new_meta(seed: int, clock: SandboxClock) -> Meta:
    """The first meta row of a world."""
    return Meta(seed, clock.wall_anchor, clock.played_anchor, clock.speed, quirks.all_on())


def load(store: Store, *, wall: Callable[[], float] = time.time, speed: float | None = None) -> World | None:
    """The world that the store holds, None if it holds none. Its heaps are empty: see `tasks.wake`."""
    found = next(store.load("meta"), None)
    if found is None:
        return None
    meta = msgspec.json.decode(found, type=Meta)
    meta.quirks = quirks.all_on() | meta.quirks
    clock = SandboxClock(wall, speed=meta.speed, wall_anchor=meta.wall_anchor, played_anchor=meta.played_anchor)
    world = World(store, clock, meta, seq=store.last_seq())
    decoder = msgspec.json.Decoder(Instance)
    for instance in sorted(map(decoder.decode, store.load("instance")), key=lambda each: each.vmid):
        (world.gone if instance.gone_at else world.instances)[instance.uuid] = instance
        for address in instance.addresses:
            world.pool.claim(address.ip_address)
    for task in map(msgspec.json.Decoder(Task).decode, store.load("task")):
        world.tasks[task.task_id] = task
        if task.updated_at < clock.now() - TASK_KEPT_S and task.status not in {"PENDING", "PROCESSING"}:
            world.forget_task(task)
    if speed is not None and speed != clock.speed:
        set_speed(world, speed)
    return world


def set_speed(world: World, speed: float) -> None:
    """Change the pace, and remember it."""
    world.clock.set_speed(speed)
    meta, clock = world.meta, world.clock
    meta.speed, meta.wall_anchor, meta.played_anchor = clock.speed, clock.wall_anchor, clock.played_anchor
    world.touch(meta)
