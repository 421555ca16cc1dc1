"""A process that syncs 10,000 machines, 1 % changed, at each line on its standard input: see busy.py.

Says one line for each sync: how long it took, in milliseconds.
"""

import sys
import time

import django

django.setup()

from cloud.models import Instance  # noqa: E402 -- Django first
from cloud.ports import Change, ports  # noqa: E402
from tests.bench import syncs  # noqa: E402


def main() -> None:
    world = syncs.World()
    # It begins with what the cache does not know yet, whatever the process before it left.
    is_running = Instance.objects.get(provider_id=world.rows[0]["uuid"]).power == Instance.Power.RUNNING
    world.turn = 0 if is_running else 1
    for _line in sys.stdin:
        world.change()
        begin = time.perf_counter()
        world.sync(syncs.parsed(world.body), written=100)
        ports().tell(Change(world.account.pk, lists=frozenset({world.team})))
        sys.stdout.write(f"{(time.perf_counter() - begin) * 1000:.1f}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
