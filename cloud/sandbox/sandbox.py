"""Everything one sandbox process holds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cloud.sandbox.faults import FaultPlan
from cloud.sandbox.journal import Journal
from cloud.sandbox.seed import open_world
from cloud.sandbox.store import Store
from cloud.sandbox.world import World

DEFAULT_KEY = "sandbox-key"
DEFAULT_MACHINES = 24
DEFAULT_SEED = 7


@dataclass
class Sandbox:
    """`world` is replaced as a whole by `reset`, so always reach it through here."""

    store: Store
    world: World
    key: str = DEFAULT_KEY
    wall: Callable[[], float] = time.time
    journal: Journal = field(default_factory=Journal)
    plan: FaultPlan = field(default_factory=lambda: FaultPlan(DEFAULT_SEED))

    @classmethod
    def open(
        cls,
        path: str,
        *,
        machines: int = DEFAULT_MACHINES,
        seed: int = DEFAULT_SEED,
        speed: float | None = None,
        key: str = DEFAULT_KEY,
        wall: Callable[[], float] = time.time,
    ) -> "Sandbox":
        """Go on with the state in this file, or begin one there. `:memory:` keeps nothing."""
        store = Store(path)
        world = open_world(store, machines=machines, seed=seed, speed=speed, wall=wall)
        return cls(store, world, key, wall, plan=FaultPlan(world.meta.seed))

    def reset(self, *, machines: int, seed: int, speed: float) -> None:
        """Throw everything away, logs, faults and quirks included, and begin anew."""
        self.store.clear()
        self.world = open_world(self.store, machines=machines, seed=seed, speed=speed, wall=self.wall)
        self.journal, self.plan = Journal(), FaultPlan(seed)

    def close(self) -> None:
        self.store.close()
