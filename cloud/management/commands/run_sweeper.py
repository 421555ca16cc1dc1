import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from cloud.clock import system_clock
from cloud.models import Process
from cloud.operations import unsaved
from cloud.ports import ports
from cloud.processes import Heart
from cloud.sweeper import Sweeper
from cloud.timing import timing


class Command(BaseCommand):
    help = "Finds what is due and has it done. Run one or more; one at a time sweeps."

    def handle(self, **options: Any) -> None:
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda _number, _frame: stopped.set())
        heart = Heart(Process.Kind.SWEEPER, system_clock, timing(), also=unsaved.save)
        heart.start()
        threading.Thread(target=_errands, args=(stopped,), name="errands", daemon=True).start()
        Sweeper(system_clock, timing(), stopped).run()
        heart.stop()


def _errands(stopped: threading.Event) -> None:
    while not stopped.wait(max(timing().errands_s, 1.0)):
        ports().errands(system_clock)
