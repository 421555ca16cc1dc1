"""What the control door can do to the world behind the panel's back, one class an action (`do` is its tag)."""

import random
from typing import Any, Literal

from msgspec import Struct

from cloud.sandbox import seed, tasks
from cloud.sandbox.catalogue import TYPES
from cloud.sandbox.errors import not_found
from cloud.sandbox.show import POWER_WORDS
from cloud.sandbox.state import Instance, Task, TaskPlan
from cloud.sandbox.world import World


class Change(Struct, tag_field="do", forbid_unknown_fields=True):
    """Base: `apply` changes the world and says what became of it. The caller saves."""

    def apply(self, world: World) -> dict[str, Any]:
        raise NotImplementedError


class SetFields(Change, tag="set"):
    """Show any field of a machine as anything, null and nonsense included; `unset` shows the truth again.

    `where` is both, or only the list or only GET by id, to let the two disagree. A power_status
    of running, stopped, off or paused also becomes the truth; so does a name that is text.
    """

    id: str
    fields: dict[str, Any] = {}
    unset: list[str] = []
    where: Literal["both", "list", "detail"] = "both"

    def apply(self, world: World) -> dict[str, Any]:
        instance = _find(world, self.id)
        for part, shown in (("list", instance.shown), ("detail", instance.shown_detail)):
            if self.where in {"both", part}:
                shown.update(self.fields)
                for field in self.unset:
                    shown.pop(field, None)
        power, name = self.fields.get("power_status"), self.fields.get("name")
        if isinstance(power, str) and power in POWER_WORDS:
            instance.power = power
            instance.booted_at = world.clock.now() if power == "running" else None
        if isinstance(name, str):
            instance.name = name
        world.touch(instance)
        return {"shown": instance.shown, "shown_detail": instance.shown_detail}


class Remove(Change, tag="remove"):
    """Take one machine away at once, without a task."""

    id: str

    def apply(self, world: World) -> dict[str, Any]:
        world.remove(_find(world, self.id), world.clock.now())
        return {"removed": [self.id]}


class Vanish(Change, tag="vanish"):
    """Take many machines away: so many, or this share of all."""

    count: int = 0
    share: float = 0.0

    def apply(self, world: World) -> dict[str, Any]:
        machines = list(world.instances.values())
        chosen = machines[: max(self.count, int(len(machines) * self.share))]
        for instance in chosen:
            world.remove(instance, world.clock.now())
        return {"removed": [each.uuid for each in chosen]}


class Add(Change, tag="add"):
    """Make machines outside the panel, at once and running, up for `age_s` seconds already."""

    name: str | None = None
    instance_type: str = "v1_cpu_medium"
    region: str = "igl"
    count: int = 1
    age_s: float = 0.0

    def apply(self, world: World) -> dict[str, Any]:
        made = []
        for number in range(self.count):
            name = self.name or "outside"
            rng = random.Random(world.new_id())
            instance = seed.make_instance(
                world, rng, name if self.count == 1 else f"{name}-{number}", TYPES[self.instance_type]
            )
            instance.region, instance.power = self.region, "running"
            instance.created_at = instance.booted_at = world.clock.now() - self.age_s
            instance.backups, instance.schedule = [], None
            world.add(instance)
            made.append(instance.uuid)
        return {"added": made}


class AddTask(Change, tag="add_task"):
    """A task that was started outside the panel. Open ones (PENDING, PROCESSING) stay so for ever."""

    operation: str
    status: str = "COMPLETED"
    id: str | None = None
    task_id: str | None = None
    message: str | None = None
    age_s: float = 0.0

    def apply(self, world: World) -> dict[str, Any]:
        at, played = world.clock.now() - self.age_s, world.clock.played()
        task = Task(self.task_id or world.new_id(), self.operation, self.id, at, at, played, played, self.status)
        task.message = self.message
        task.stays = self.status if self.status in tasks.OPEN_STATES else None
        tasks.add(world, task)
        return {"task_id": task.task_id}


class SetTask(Change, tag="set_task"):
    """Show any field of a task as anything (another operation, another machine, a strange state)."""

    task_id: str
    fields: dict[str, Any]

    def apply(self, world: World) -> dict[str, Any]:
        task = _find_task(world, self.task_id)
        task.shown |= self.fields
        world.touch(task)
        return {"shown": task.shown}


class RemoveTask(Change, tag="remove_task"):
    """Forget a task: by id it answers 404, and what it was doing never ends."""

    task_id: str

    def apply(self, world: World) -> dict[str, Any]:
        world.forget_task(_find_task(world, self.task_id))
        return {"removed": self.task_id}


class NextTask(Change, tag="next_task"):
    """How the next `count` tasks go: end in `status` with or without `effect`, or stay in `stays` for ever."""

    operation: str | None = None
    status: str = "FAILED"
    effect: bool = False
    stays: str | None = None
    message: str | None = None
    count: int = 1

    def apply(self, world: World) -> dict[str, Any]:
        plan = TaskPlan(self.operation, self.status, self.effect, self.stays, self.message, self.count)
        world.meta.plans.append(plan)
        world.touch(world.meta)
        return {"plans": len(world.meta.plans)}


class FreezeTasks(Change, tag="freeze_tasks"):
    """Every open and every later task stays PENDING for ever, until it is turned off."""

    on: bool = True

    def apply(self, world: World) -> dict[str, Any]:
        tasks.freeze(world, on=self.on)
        return {"tasks_frozen": self.on}


class Capacity(Change, tag="capacity"):
    """Room for a type in a region (None: any): there is, there is none, or (`available` null) chance again."""

    instance_type: str | None = None
    region: str | None = None
    available: bool | None = None

    def apply(self, world: World) -> dict[str, Any]:
        key = f"{self.instance_type or '*'}@{self.region or '*'}"
        if self.available is None:
            world.meta.capacity.pop(key, None)
        else:
            world.meta.capacity[key] = self.available
        world.touch(world.meta)
        return {"capacity": world.meta.capacity}


AnyChange = (
    SetFields | Remove | Vanish | Add | AddTask | SetTask | RemoveTask | NextTask | FreezeTasks | Capacity
)  # fmt: skip


def _find(world: World, uuid: str) -> Instance:
    """Also a machine that is still being created."""
    instance = world.instances.get(uuid)
    if instance is None:
        raise not_found("Instance")
    return instance


def _find_task(world: World, task_id: str) -> Task:
    task = world.tasks.get(task_id)
    if task is None:
        raise not_found("Task")
    return task
