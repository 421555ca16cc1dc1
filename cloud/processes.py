"""Signs of life of workers and sweepers, for the health page and for whoever must know that a process is dead."""

import os
import socket
from datetime import datetime

from cloud.models import Process


def label() -> str:
    """This process, in a word that no other running process has."""
    return f"{socket.gethostname()}:{os.getpid()}"


def worker_lives(now: datetime) -> None:
    lives(Process.Kind.WORKER, now)


def lives(kind: str, now: datetime) -> None:
    """Note that this process is alive. A process id that is used again counts as a new process of its kind."""
    Process.objects.update_or_create(
        label=f"{kind}@{label()}",
        defaults={"kind": kind, "seen_at": now},
        create_defaults={"kind": kind, "seen_at": now, "started_at": now},
    )


def forget_old(before: datetime) -> None:
    Process.objects.filter(seen_at__lt=before).delete()
