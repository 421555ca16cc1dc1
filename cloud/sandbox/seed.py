"""The world at its beginning: machines as a company that works with GPUs would have them."""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from copy import copy
from itertools import count

from cloud.sandbox import show, tasks, timetable
from cloud.sandbox.catalogue import REGIONS, TEAMS, TYPES, MachineType, default_template
from cloud.sandbox.clock import SandboxClock
from cloud.sandbox.state import Backup, Event, Firewall, Instance, Rule, Schedule
from cloud.sandbox.store import Store
from cloud.sandbox.world import World, load, new_meta

DAY_S = 86400.0
CPU_TYPE = "v1_cpu_medium"
SINGLE_NAMES = ("web-prod", "notebook-old", "license-server", "bastion", "ci-runner", "grafana", "label-studio")
# name, its type, how often compared to the others
FLEETS: tuple[tuple[str, str, int], ...] = (
    ("trainer", "v1_gpu_4x_a6000", 3),
    ("finetune", "v1_gpu_2x_a5000", 2),
    ("render-node", "v1_gpu_1x_5090", 4),
    ("asr-batch", "v1_gpu_1x_a4000", 3),
    ("inference", "v1_gpu_1x_a6000", 3),
    ("notebook", "v1_gpu_1x_2080ti", 3),
    ("sim-worker", "v1_gpu_2x_8000", 1),
    ("web", CPU_TYPE, 2),
    ("queue-worker", CPU_TYPE, 2),
)
POWERS = ("running",) * 16 + ("stopped",) * 3 + ("off",)
NOTES = (None, None, "Pre-upgrade backup", "before driver update", "golden image", "vor dem Umzug")
RULES = (
    Rule("in", "ACCEPT", "tcp", "22", comment="SSH access"),
    Rule("in", "ACCEPT", "tcp", "80,443", comment="Web"),
    Rule("in", "ACCEPT", "tcp", "8888", source="192.0.2.0/24", comment="Jupyter from the office"),
    Rule("in", "ACCEPT", "icmp", comment="Ping"),
    Rule("out", "REJECT", "tcp", "25", comment="No mail from here", enable=0),
)


def open_world(
    store: Store, *, machines: int, seed: int, speed: float | None, wall: Callable[[], float] = time.time
) -> World:
    """The world of this store: loaded if it holds one, else made with so many machines, and saved.

    `speed` None keeps the stored pace (1 at the beginning); `machines` and `seed` count only for a new world.
    """
    world = load(store, wall=wall, speed=speed)
    if world is None:
        clock = SandboxClock(wall, speed=speed or 1.0)
        world = World(store, clock, new_meta(seed, clock))
        world.touch(world.meta)
        populate(world, machines)
    world.save()
    tasks.wake(world)
    world.list_json()  # drawn now, so that the first reader does not wait for 10,000 rows
    return world


def populate(world: World, machines: int) -> None:
    """Fill an empty world. The same seed gives the same machines."""
    rng = random.Random(world.meta.seed)
    for (name, kind), _ in zip(_names(rng), range(machines), strict=False):
        world.add(make_instance(world, rng, name, TYPES[kind]))


def _names(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Unique names with the type that goes with them, without end."""
    fleets = [each for each in FLEETS for _ in range(each[2])]
    numbers = {name: count(1) for name, _, _ in FLEETS}
    singles = list(SINGLE_NAMES)
    for position in count():
        if singles and position % 5 == 4:
            yield singles.pop(0), CPU_TYPE
        else:
            name, kind, _ = rng.choice(fleets)
            yield f"{name}-{next(numbers[name]):02d}", kind


def make_instance(world: World, rng: random.Random, name: str, kind: MachineType) -> Instance:
    """A machine with a past: age, addresses, backups, rules and the rest. Not yet added to the world."""
    now = world.clock.now()
    created_at = now - rng.choice((rng.uniform(0.2, 2), rng.uniform(2, 60), rng.uniform(60, 365))) * DAY_S
    region = REGIONS["igl" if rng.random() < 0.75 else "phl"]
    power = rng.choice(POWERS)
    instance = Instance(
        uuid=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        name=name,
        region=region.code,
        instance_type=kind.name,
        host_id=region.host(rng.randrange(region.hosts)),
        vmid=world.new_vmid(),
        cpu_cores=kind.vcpus,
        memory=kind.memory_gib,
        storage=kind.storage_gib,
        gpu_count=kind.gpus,
        gpu_model=kind.card,
        price_cents_per_hour=kind.price_cents_per_hour,
        created_at=created_at,
        template_name="WINDOWS-11-NV"
        if name.startswith("render") and rng.random() < 0.3
        else default_template(kind.gpus),
        os_type="linux",
        vm_username="ubuntu",
        power=power,
        booted_at=rng.uniform(created_at, now) if power == "running" else None,
        team_id=rng.choice((None, None, *TEAMS)),
        history=[Event("created", created_at, {"instance_type": kind.name})],
    )
    if instance.template_name == "WINDOWS-11-NV":
        instance.os_type, instance.vm_username = "windows", "Administrator"
    _equip(world, rng, instance)
    return instance


def _equip(world: World, rng: random.Random, instance: Instance) -> None:
    now, created_at = world.clock.now(), instance.created_at
    for _ in range(2 if rng.random() < 0.12 else 1):
        world.assign_address(instance, created_at)
    if rng.random() < 0.35:
        for age in sorted((rng.random() for _ in range(rng.randint(1, 3))), reverse=True):
            at = now - age * (now - created_at)
            size = int(instance.storage * 2**30 * rng.uniform(0.05, 0.3))
            instance.backups.append(Backup(show.new_volid(instance.vmid, at), size, at, rng.choice(NOTES)))
    if rng.random() < 0.4:
        rules = [copy(each) for each in rng.sample(RULES, rng.randint(1, len(RULES)))]
        instance.firewall = Firewall(enabled=True, policy_in="DROP", policy_out="ACCEPT", rules=rules)
    if rng.random() < 0.3:
        instance.schedule = _schedule(rng, now)


def _schedule(rng: random.Random, now: float) -> Schedule:
    frequency = rng.choice(timetable.FREQUENCIES)
    schedule = Schedule(
        enabled=rng.random() < 0.85,
        frequency=frequency,
        hour=rng.randrange(6),
        minute=0,
        retention_count=rng.choice((3, 7, 14)),
        next_at=0,
        day_of_week=rng.randrange(7) if frequency == "weekly" else None,
        day_of_month=rng.randint(1, 28) if frequency == "monthly" else None,
    )
    schedule.next_at = timetable.next_run(schedule, now)
    return schedule
