"""A process that syncs 10,000 machines every two seconds, 1 % changed each time: `python -m tests.bench.syncing`.

Says one line for each sync: how long it took, in milliseconds.
"""

import sys
import time

import django

django.setup()

from cloud.models import Instance  # noqa: E402 -- Django first
from cloud.ports import Change, ports  # noqa: E402
from tests.bench import syncs  # noqa: E402

EVERY_S = 2.0


def main() -> None:
    world = syncs.World()
    # It begins with what the cache does not know yet, whatever the process before it left.
    is_running = Instance.objects.get(provider_id=world.rows[0]["uuid"]).power == Instance.Power.RUNNING
    world.turn = 0 if is_running else 1
    while True:
        world.change()
        begin = time.perf_counter()
        world.sync(syncs.parsed(world.body), written=100)
        ports().tell(Change(world.account.pk, lists=frozenset({world.team})))
        taken = time.perf_counter() - begin
        sys.stdout.write(f"{taken * 1000:.1f}\n")
        sys.stdout.flush()
        time.sleep(max(EVERY_S - taken, 0))


if __name__ == "__main__":
    main()
