"""The kill points: where in an operation's life a process is struck, without a line of the panel being changed.

Each sends its operation's form, waits until the moment can be seen from outside (in the database, in the sandbox's
request log), holds it there by a lock or a fault, and strikes. A moment that did not come is noted, and the blow falls
anyway.
"""

import signal
import time
from collections.abc import Callable

from tests.faults.house import send
from tests.faults.scene import Hit, Scene

Point = Callable[[Scene], Hit]
POINTS: dict[str, Point] = {}
HEAD = "SELECT * FROM audit_head FOR UPDATE"
CHECKPOINTS = "LOCK TABLE audit_checkpoint IN EXCLUSIVE MODE"


def point(name: str) -> Callable[[Point], Point]:
    def keep(play: Point) -> Point:
        POINTS[name] = play
        return play

    return keep


@point("worker, marked, before the effect")
def _marked(scene: Scene) -> Hit:
    scene.spoil_write("hang", "before_commit")
    scene.submit_meanwhile()
    row = scene.reach("sending")
    scene.calls(lambda call: call.fault == "hang" and scene.is_mine(call))
    return scene.strike_owner(row)


@point("worker, sent, after the effect")
def _sent(scene: Scene) -> Hit:
    scene.spoil_write("hang", "after_commit")
    scene.submit_meanwhile()
    row = scene.reach("sending")
    scene.committed()
    return scene.strike_owner(row)


@point("web, after the commit, before the knock")
def _web_before_knock(scene: Scene) -> Hit:
    with scene.house.frozen("valkey"):
        scene.submit_meanwhile()
        scene.reach()
        return scene.strike("web")


@point("worker, sent, the effect comes late")
def _late(scene: Scene) -> Hit:
    scene.spoil_write("latency", "before_commit", seconds=3.0)
    scene.submit_meanwhile()
    row = scene.reach("sending")
    scene.calls(lambda call: call.fault == "latency" and scene.is_mine(call))
    return scene.strike_owner(row)


@point("worker, answered, before the save")
def _before_save(scene: Scene) -> Hit:
    scene.spoil_write("latency", "after_commit", seconds=1.0)
    scene.submit_meanwhile()
    row = scene.reach("sending")
    scene.committed()
    with scene.book.writes_held():
        time.sleep(1.3)
        return scene.strike_owner(row)


@point("worker, frozen at the mark, then goes on")
def _frozen_at_mark(scene: Scene) -> Hit:
    scene.submit_meanwhile()
    return _freeze_owner(scene, 5.0)


@point("worker, frozen while it sends, then goes on")
def _frozen_sending(scene: Scene) -> Hit:
    scene.spoil_write("latency", "after_commit", seconds=1.0)
    scene.submit_meanwhile()
    return _freeze_owner(scene, 8.0)


def _freeze_owner(scene: Scene, seconds: float) -> Hit:
    row = scene.reach("sending")
    hit = scene.strike_owner(row, signal.SIGSTOP)
    time.sleep(seconds)
    if row and row.owner_pid:
        send(row.owner_pid, signal.SIGCONT)
    return hit


@point("web, before the intent's commit")
def _web_before_commit(scene: Scene) -> Hit:
    with scene.book.writes_held():
        scene.submit_meanwhile()
        time.sleep(0.4)
        return scene.strike("web")


@point("worker, claimed, before the mark")
def _claimed(scene: Scene) -> Hit:
    """Forcing off looks at the machine first: that look hangs."""
    ids = scene.door.add_faults({"kind": "hang", "endpoint": "list_instances", "times": 4, "seconds": 1.5})
    scene.submit_meanwhile()
    row = scene.reach("queued")
    while row is not None and row.state == "queued" and not row.lease_owner:
        time.sleep(0.003)
        row = scene.row()
    hit = scene.strike_owner(row)
    scene.door.clear(*ids)
    return hit


@point("worker, after the save")
def _saved(scene: Scene) -> Hit:
    scene.submit_meanwhile()
    scene.reach("running", "succeeded")
    return scene.strike(*scene.house.workers())


@point("sweeper, sends while the store is away")
def _sweeper_sends(scene: Scene) -> Hit:
    with scene.house.away("valkey"):
        scene.spoil_write("hang", "after_commit")
        scene.submit_meanwhile()
        row = scene.reach("sending")
        scene.committed(2)
        return scene.strike_owner(row)


@point("web, between the commit and the reply")
def _web_before_reply(scene: Scene) -> Hit:
    scene.submit_meanwhile()
    scene.reach()
    return scene.strike("web")


@point("worker, knocked, before the claim")
def _knocked(scene: Scene) -> Hit:
    with scene.house.frozen(*scene.house.workers()):
        scene.submit_meanwhile()
        scene.reach("queued")
        time.sleep(0.1)
        return scene.strike("worker")


@point("worker, polls the tasks")
def _polls(scene: Scene) -> Hit:
    scene.submit_meanwhile()
    scene.reach("running")
    ids = scene.door.add_faults({"kind": "hang", "endpoint": "list_tasks", "times": 1})
    scene.calls(lambda call: call.fault == "hang" and call.endpoint == "list_tasks" and call.seconds is None, 2)
    hit = scene.strike(*scene.house.workers())
    scene.door.clear(*ids)
    return hit


@point("worker, looks for what became of it")
def _reconciles(scene: Scene) -> Hit:
    scene.spoil_write("reset", "after_commit")
    scene.submit_meanwhile()
    scene.reach("checking")
    hangs = {"kind": "hang", "method": "GET", "times": 1}
    ids = scene.door.add_faults(
        *({**hangs, "endpoint": each} for each in ("list_instances", "instance_stats", "list_tasks"))
    )
    scene.calls(lambda call: call.fault == "hang" and call.method == "GET" and call.seconds is None, 2)
    hit = scene.strike(*scene.house.workers())
    scene.door.clear(*ids)
    return hit


@point("worker, puts the outcome on the record")
def _on_record(scene: Scene) -> Hit:
    scene.submit_meanwhile()
    scene.reach("running", "succeeded")
    with scene.book.locked(HEAD):
        time.sleep(1.5)
        return scene.strike(*scene.house.workers())


@point("store, killed and empty")
def _store_empty(scene: Scene) -> Hit:
    with scene.house.away("valkey"):
        scene.house.forget_store()
        scene.submit_meanwhile()
        scene.reach()
        row = scene.row()
    return Hit(scene.ask.point, "valkey", row.state if row else "(no row)")


@point("web, puts the intent on the record")
def _web_on_record(scene: Scene) -> Hit:
    with scene.book.locked(HEAD):
        scene.submit_meanwhile()
        time.sleep(0.4)
        return scene.strike("web")


@point("sweeper, while it is held")
def _held(scene: Scene) -> Hit:
    scene.submit_meanwhile()
    scene.reach("held")
    return scene.strike("sweeper")


@point("store, flushed while it is sent")
def _flushed(scene: Scene) -> Hit:
    scene.spoil_write("latency", "after_commit", seconds=0.5)
    scene.submit_meanwhile()
    row = scene.reach("sending")
    scene.house.flush_store()
    return Hit(scene.ask.point, "valkey", row.state if row else "")


@point("database, refuses after the effect")
def _refuses(scene: Scene) -> Hit:
    """Longer than a worker lives that cannot say so."""
    scene.spoil_write("latency", "after_commit", seconds=0.5)
    scene.submit_meanwhile()
    row = scene.reach("sending")
    scene.committed()
    with scene.book.writes_held():
        time.sleep(60 / scene.house.scale + 0.5)
    return Hit(scene.ask.point, "database", row.state if row else "")


@point("provider, frozen while it is sent")
def _provider_frozen(scene: Scene) -> Hit:
    """What was written into its socket is read later, when the sender is dead."""
    with scene.house.frozen("sandbox"):
        scene.submit_meanwhile()
        row = scene.reach("sending", within_s=5)
        time.sleep(0.2)
        return scene.strike_owner(row)


@point("sweeper, signs a checkpoint")
def _checkpoint(scene: Scene) -> Hit:
    scene.submit_meanwhile()
    with scene.book.locked(CHECKPOINTS):
        time.sleep(0.5)
        return scene.strike("sweeper")


@point("worker, told to end while it sends")
def _told(scene: Scene) -> Hit:
    scene.spoil_write("latency", "after_commit", seconds=1.0)
    scene.submit_meanwhile()
    row = scene.reach("sending")
    return scene.strike_owner(row, signal.SIGTERM)
