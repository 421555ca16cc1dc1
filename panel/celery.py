"""Celery carries hints. What is to be done stands in the database; a lost or doubled message changes nothing."""

import os

from celery import Celery
from celery.signals import task_postrun, task_prerun, worker_ready
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings")

# The shortest visibility timeout among apps that share a broker wins: the same figure in all three places.
TRANSPORT = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "health_check_interval": 10,
    "global_keyprefix": "tidepool:celery:",
    # Who knocks waits for nobody: without these, six seconds of a person's click for a broker that is away. A worker
    # comes back to its broker by settings of its own (broker_connection_max_retries).
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
URL = settings.REDIS_URL.replace("unix://", "redis+socket://", 1)

app = Celery("tidepool", broker=URL)
app.conf.update(
    broker_transport_options=TRANSPORT,
    result_backend_transport_options=TRANSPORT,
    visibility_timeout=120,
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_serializer="json",
    accept_content=["json"],
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    worker_concurrency=settings.WORKER_THREADS,
    worker_pool="threads",
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_pool_limit=None,
    imports=["cloud.tasks"],
    timezone="UTC",
)


@worker_ready.connect
def _begin_to_beat(**_: object) -> None:
    """Each worker says that it lives, and ends itself when it cannot, or hears nothing: others take up what it had."""
    from cloud.clock import system_clock  # noqa: PLC0415 -- models must be loaded first
    from cloud.ears import Ears  # noqa: PLC0415
    from cloud.models import Process  # noqa: PLC0415
    from cloud.operations import unsaved  # noqa: PLC0415
    from cloud.processes import Heart  # noqa: PLC0415
    from cloud.timing import timing  # noqa: PLC0415

    ears = Ears(timing())
    task_prerun.connect(ears.took_up, weak=False)
    task_postrun.connect(ears.put_down, weak=False)

    def also() -> None:
        unsaved.save()
        ears.check()

    Heart(Process.Kind.WORKER, system_clock, timing(), also=also).start()
