"""Thin Celery entry points: an id in, one call, nothing out. A message is a hint; each is safe to lose or double."""

from celery import shared_task

from cloud import processes, refresh
from cloud.clock import system_clock
from cloud.operations import engine


@shared_task(ignore_result=True)
def run_refresh(refresh_id: int) -> None:
    refresh.run(refresh_id, system_clock)


@shared_task(ignore_result=True)
def advance(operation_id: str) -> None:
    """Move one operation forward if it is due."""
    engine.advance(operation_id, system_clock)


@shared_task(ignore_result=True)
def canary() -> None:
    """A worker that runs this is well."""
    processes.worker_lives(system_clock())
