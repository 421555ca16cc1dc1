"""Work that takes time: starting it, moving it on with the clock, and what it does in the end.

PENDING ──▶ PROCESSING ──▶ COMPLETED | FAILED | whatever a plan of the control door says
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

from cloud.sandbox import show
from cloud.sandbox.state import Backup, Instance, Task, TaskPlan
from cloud.sandbox.world import World

OPEN_STATES = frozenset({"PENDING", "PROCESSING"})

# Shortest and longest time in played seconds, queueing included.
DURATIONS_S: dict[str, tuple[float, float]] = {
    "create_instance": (60, 120),
    "delete_instance": (15, 25),
    "power_on": (8, 20),
    "shutdown": (10, 30),
    "power_off": (5, 10),
    "reboot": (12, 30),
    "power_cycle": (15, 30),
    "create_backup": (90, 300),
    "restore_backup": (120, 420),
    "delete_backup": (6, 15),
}
QUEUE_S = (1.0, 4.0)


def start(
    world: World, operation: str, instance: Instance, *, params: dict[str, Any] | None = None, exclusive: bool = True
) -> Task:
    """Begin a task on a machine; an exclusive one holds the machine until its end. The caller saves."""
    now, played = world.clock.now(), world.clock.played()
    primary = instance.addresses[0].ip_address if instance.addresses else None
    task = Task(
        task_id=world.new_id(),
        operation=operation,
        vm_uuid=instance.uuid,
        created_at=now,
        updated_at=now,
        starts_played=played + world.rng.uniform(*QUEUE_S),
        ends_played=played + world.rng.uniform(*DURATIONS_S[operation]),
        ip_address=primary,
        params={"vm_uuid": instance.uuid} | (params or {}),
    )
    _apply_plan(world, task)
    if exclusive:
        instance.task_id = task.task_id
    world.touch(instance)
    add(world, task)
    return task


def add(world: World, task: Task) -> None:
    """Take a task into the world and, unless it is stuck, into the queue."""
    world.tasks[task.task_id] = task
    world.touch(task)
    _queue(world, task)


def _apply_plan(world: World, task: Task) -> None:
    """Let the control door's next plan for this operation change how the task will go."""
    if world.meta.tasks_frozen:
        task.stays = "PENDING"
    plan = next((each for each in world.meta.plans if each.operation in {None, task.operation}), None)
    if plan is None:
        return
    task.outcome, task.effect, task.message = plan.status, plan.effect, plan.message
    task.stays = plan.stays or task.stays
    _use_up(world, plan)


def _use_up(world: World, plan: TaskPlan) -> None:
    plan.count -= 1
    if plan.count <= 0:
        world.meta.plans.remove(plan)
    world.touch(world.meta)


def _next_moment(task: Task) -> float | None:
    """The played moment of the task's next change, None when there will be none."""
    if task.status not in OPEN_STATES or task.stays == task.status:
        return None
    return task.starts_played if task.status == "PENDING" else task.ends_played


def _queue(world: World, task: Task) -> None:
    moment = _next_moment(task)
    if moment is not None:
        heappush(world.due, (moment, task.task_id))


def wake(world: World) -> None:
    """Fill the queues of a world that was just loaded: its tasks go on where the clock says."""
    moments = ((_next_moment(task), task.task_id) for task in world.tasks.values())
    world.due = [(moment, task_id) for moment, task_id in moments if moment is not None]
    world.calendar = [
        (each.schedule.next_at, each.uuid) for each in world.instances.values() if each.schedule is not None
    ]
    heapify(world.due)
    heapify(world.calendar)


def settle(world: World) -> None:
    """Carry out everything that has come due by now, in its order. Called before every answer; does not save."""
    played = world.clock.played()
    while world.due and world.due[0][0] <= played:
        moment, task_id = heappop(world.due)
        task = world.tasks.get(task_id)
        if task is not None and _next_moment(task) == moment:  # else: moved or removed meanwhile
            _step(world, task, world.clock.shown_at(moment))


def _step(world: World, task: Task, at: float) -> None:
    task.updated_at = at
    if task.status == "PENDING":
        task.status = "PROCESSING"
        _queue(world, task)
    else:
        finish(world, task, at)
    world.touch(task)


def finish(world: World, task: Task, at: float) -> None:
    """End a task now: its effect, unless a plan took it away, then its outcome."""
    instance = world.instances.get(task.vm_uuid or "")
    task.status = task.outcome
    if instance is None:
        if task.operation != "delete_instance":
            task.status, task.message = "FAILED", task.message or "VM does not exist"
        return
    if instance.task_id == task.task_id:
        instance.task_id = None
    if task.effect:
        EFFECTS[task.operation](world, instance, task, at)
    elif instance.creating:
        world.remove(instance, at)
    if task.status == "FAILED":
        task.message = task.message or "Task failed on host " + instance.host_id
    world.touch(instance)


def freeze(world: World, *, on: bool) -> None:
    """Make every open and every later task stay PENDING for ever; off lets them go on from now."""
    world.meta.tasks_frozen = on
    world.touch(world.meta)
    played = world.clock.played()
    for task in world.tasks.values():
        if on and task.status == "PENDING":
            task.stays = "PENDING"
            world.touch(task)
        elif not on and task.status in OPEN_STATES and task.stays is not None:
            duration = task.ends_played - task.starts_played
            task.stays, task.starts_played, task.ends_played = None, played, played + duration
            world.touch(task)
            _queue(world, task)


# What tasks do in the end


def _created(world: World, instance: Instance, _task: Task, at: float) -> None:
    instance.creating, instance.power, instance.booted_at = False, "running", at
    world.note(instance, "created", {"instance_type": instance.instance_type}, at)


def _deleted(world: World, instance: Instance, _task: Task, at: float) -> None:
    world.note(instance, "deleted", at=at)
    world.remove(instance, at)


def _started(world: World, instance: Instance, task: Task, at: float) -> None:
    instance.power, instance.booted_at = "running", at
    _clear_shown_power(instance)
    world.note(instance, task.operation, {"task_id": task.task_id}, at)


def _stopped(world: World, instance: Instance, task: Task, at: float) -> None:
    instance.power, instance.booted_at = "stopped", None
    _clear_shown_power(instance)
    world.note(instance, task.operation, {"task_id": task.task_id}, at)


def _clear_shown_power(instance: Instance) -> None:
    """A state set behind the panel's back lasts until the machine's next power change."""
    instance.shown.pop("power_status", None)
    instance.shown_detail.pop("power_status", None)


def _backed_up(world: World, instance: Instance, task: Task, at: float) -> None:
    volid = show.new_volid(instance.vmid, at)
    while any(each.volid == volid for each in instance.backups):
        at += 1  # two in one second of the wall clock, at high speed
        volid = show.new_volid(instance.vmid, at)
    size = int(instance.storage * 2**30 * world.rng.uniform(0.05, 0.35))
    scheduled = bool(task.params.get("scheduled"))
    instance.backups.append(Backup(volid, size, at, scheduled=scheduled))
    if scheduled and instance.schedule is not None:
        instance.schedule.last_at = at
        ours = [each for each in instance.backups if each.scheduled]
        for old in ours[: -instance.schedule.retention_count]:
            instance.backups.remove(old)
    world.note(instance, "backup_created", {"volid": volid}, at)


def _restored(world: World, instance: Instance, task: Task, at: float) -> None:
    if instance.power == "running":
        instance.booted_at = at
    world.note(instance, "backup_restored", {"volid": task.params.get("backup_volid")}, at)


def _backup_deleted(world: World, instance: Instance, task: Task, at: float) -> None:
    volid = task.params.get("volid")
    instance.backups = [each for each in instance.backups if each.volid != volid]
    world.note(instance, "backup_deleted", {"volid": volid}, at)


EFFECTS: dict[str, Callable[[World, Instance, Task, float], None]] = {
    "create_instance": _created,
    "delete_instance": _deleted,
    "power_on": _started,
    "shutdown": _stopped,
    "power_off": _stopped,
    "reboot": _started,
    "power_cycle": _started,
    "create_backup": _backed_up,
    "restore_backup": _restored,
    "delete_backup": _backup_deleted,
}
