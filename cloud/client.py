"""The provider's API, a method for each row of the endpoint table. Synchronous; no method is called twice by itself.

Machines, power, teams and tasks are here; `client.backups` and `client.network` hold the rest. Every method may raise
any CloudError; ValueError comes before anything is sent.
"""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

from cloud import checks, shapes
from cloud.areas import Backups, Network
from cloud.breaker import Breaker
from cloud.budget import Budget, Lane
from cloud.calls import Caller
from cloud.endpoints import Endpoints
from cloud.shapes import Started
from cloud.transport import Timeouts, open_http


class Client:
    """One account's client. Threads may share it.

    `http` is a client made by `open_http`, shared and closed by the caller; without it one is made (over `transport`,
    for tests) and closed by `close`. `wait_s` is how long a call waits for its place in the budget. Without `budget`
    and `breaker` the client has its own, for this process alone.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        http: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        budget: Budget | None = None,
        breaker: Breaker | None = None,
        endpoints: Endpoints | None = None,
        lane: Lane = Lane.PEOPLE,
        timeouts: Timeouts | None = None,
        wait_s: float = 10.0,
        repeat_reads: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        rand: Callable[[], float] = random.random,
    ) -> None:
        timeouts = timeouts or Timeouts()
        self._http = http if http is not None else open_http(transport, timeouts)
        self._owns_http = http is None
        self._calls = Caller(
            base_url,
            api_key,
            self._http,
            budget or Budget(None, "", clock=clock, sleep=sleep),
            breaker or Breaker(None, "", clock=clock),
            endpoints if endpoints is not None else Endpoints(),
            lane,
            timeouts,
            wait_s,
            repeat_reads,
            clock,
            sleep,
            now,
            rand,
        )
        self._call = self._calls.call
        self.backups = Backups(self._calls)
        self.network = Network(self._calls)

    @property
    def clock_offset_s(self) -> float | None:
        """Provider's clock minus ours by its last Date header, good to about a second; None before an answer."""
        return self._calls.clock_offset_s

    def reserve(self, *, is_write: bool) -> None:
        """Get a place for this client's next call now, so that nothing but the socket comes after. Raises NotSent.

        For a client in one hand: threads that share one would take each other's place.
        """
        self._calls.reserve(is_write=is_write)

    def give_back(self) -> None:
        self._calls.give_back()

    def close(self) -> None:
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What there is

    def health(self) -> shapes.Health:
        """`healthy` or `degraded`. May answer without a valid key. Source: endpoint table, row `health`."""
        return self._call(shapes.Health, "health")

    def list_instances(self) -> shapes.InstanceList:
        """All machines. One that is being created is missing here for one to two minutes.

        Source: endpoint table, row `list_instances`.
        """
        return self._call(shapes.InstanceList, "list_instances")

    def list_templates(self) -> shapes.TemplateList:
        """Systems to launch with. Source: endpoint table, row `list_templates`."""
        return self._call(shapes.TemplateList, "list_templates")

    def list_available(self) -> shapes.TypeList:
        """Types with prices and the regions that have room now. Source: endpoint table, row `list_available`."""
        return self._call(shapes.TypeList, "list_available")

    def get_instance(self, instance_id: str) -> shapes.Instance:
        """One machine. 404 until its creation finishes; `power_status` may be null where the list says "running".

        Source: endpoint table, row `get_instance`.
        """
        return self._call(shapes.Instance, "get_instance", {"id": instance_id})

    def instance_stats(self, instance_id: str) -> shapes.Stats:
        """Its load right now. Source: endpoint table, row `instance_stats`."""
        return self._call(shapes.Stats, "instance_stats", {"id": instance_id})

    def instance_history(
        self, *, start_at: datetime | None = None, end_at: datetime | None = None, instance_id: str | None = None
    ) -> shapes.History:
        """Events in a time range, of one machine or of the account. A POST that changes nothing.

        Source: endpoint table, row `instance_history`.
        """
        times = {"start_time": checks.iso(start_at), "end_time": checks.iso(end_at)}
        return self._call(shapes.History, "instance_history", body={**times, "instance_id": instance_id})

    # Launch, rename, delete

    def launch_instance(
        self,
        *,
        region: str,
        instance_type: str,
        ssh_key: str | None = None,
        password: str | None = None,
        name: str | None = None,
        username: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        template_name: str | None = None,
        iso_url: str | None = None,
    ) -> Started:
        """Launch a type on offer. `region` is its code ("igl"). Billed from the moment it runs; never idempotent.

        Needs a key or a password (Windows). `metadata` is accepted and was seen not to be kept; `template_name` may
        be ignored. Raises Refused(409) when there is no capacity. Source: endpoint table, row `launch_instance`.
        """
        body = {
            "region": checks.needed("region", region),
            "instance_type": checks.needed("instance_type", instance_type),
            **checks.access(ssh_key, password),
            "name": checks.launch_name(name),
            "username": username,
            "metadata": metadata,
            **checks.system(template_name, iso_url),
        }
        return self._call(Started, "launch_instance", body=body)

    def launch_custom(
        self,
        *,
        region: str,
        vcpus: int,
        memory_gib: int,
        storage_gib: int,
        ssh_key: str,
        gpu_count: int = 0,
        gpu_model: str | None = None,
        name: str | None = None,
        template_name: str | None = None,
    ) -> Started:
        """Launch a machine of free size; `gpu_model` is needed with a `gpu_count` over 0.

        Source: endpoint table, row `launch_custom`.
        """
        body = {
            "region": checks.needed("region", region),
            **checks.sizes(vcpus=vcpus, memory_gib=memory_gib, storage_gib=storage_gib),
            **checks.gpus(gpu_count, gpu_model),
            **checks.access(ssh_key, None),
            "name": checks.launch_name(name),
            "template_name": template_name,
        }
        return self._call(Started, "launch_custom", body=body)

    def delete_instance(self, instance_id: str) -> Started:
        """Delete a machine and all its data. Refused("invalid_state") while it is being created.

        Source: endpoint table, row `delete_instance`.
        """
        return self._call(Started, "delete_instance", {"id": instance_id})

    def rename_instance(self, instance_id: str, name: str) -> shapes.Renamed:
        """3 to 64 of a-z, A-Z, 0-9, - and _. The host name follows at a power cycle.

        Source: endpoint table, row `rename_instance`.
        """
        return self._call(shapes.Renamed, "rename_instance", {"id": instance_id}, body={"name": checks.new_name(name)})

    def vnc_ticket(self, instance_id: str) -> shapes.VncTicket:
        """A short-lived ticket for the screen; a secret. Source: endpoint table, row `vnc_ticket`."""
        return self._call(shapes.VncTicket, "vnc_ticket", {"id": instance_id})

    # Power. All raise Refused("invalid_state") while the machine is being created.

    def power_on(self, instance_id: str) -> Started:
        """Start a stopped machine. Source: endpoint table, row `power_on`."""
        return self._call(Started, "power_on", {"id": instance_id})

    def shutdown(self, instance_id: str) -> Started:
        """Ask for a graceful stop. Source: endpoint table, row `shutdown`."""
        return self._call(Started, "shutdown", {"id": instance_id})

    def power_off(self, instance_id: str) -> Started:
        """Pull the plug: may lose data. Source: endpoint table, row `power_off`."""
        return self._call(Started, "power_off", {"id": instance_id})

    def reboot(self, instance_id: str) -> Started:
        """Hard reboot. Source: endpoint table, row `reboot`."""
        return self._call(Started, "reboot", {"id": instance_id})

    def power_cycle(self, instance_id: str) -> Started:
        """Stop and start; a new name becomes the host name. Source: endpoint table, row `power_cycle`."""
        return self._call(Started, "power_cycle", {"id": instance_id})

    # Teams

    def assign_team(self, instance_id: str, team_id: str) -> Started:
        """Give a machine to a team of the provider's. Source: endpoint table, row `assign_team`."""
        return self._call(Started, "assign_team", {"id": instance_id}, body={"team_id": checks.needed("team", team_id)})

    def remove_team(self, instance_id: str) -> Started:
        """Take a machine out of its team. Source: endpoint table, row `remove_team`."""
        return self._call(Started, "remove_team", {"id": instance_id})

    def list_team_instances(self, team_id: str) -> shapes.TeamInstances:
        """Machines of a team, with few fields each. Source: endpoint table, row `list_team_instances`."""
        return self._call(shapes.TeamInstances, "list_team_instances", {"team_id": team_id})

    # Tasks

    def list_tasks(self, *, limit: int = 50, days: int = 1, status: str | None = None) -> shapes.TaskList:
        """The newest tasks of the account, also those started elsewhere. `limit` ≤ 100, `days` ≤ 7.

        Source: endpoint table, row `list_tasks`.
        """
        return self._call(shapes.TaskList, "list_tasks", query=checks.task_query(limit, days, status))

    def get_task(self, task_id: str) -> shapes.Task:
        """One task; poll every 2 to 5 seconds at most. Source: endpoint table, row `get_task`."""
        return self._call(shapes.Task, "get_task", {"id": task_id})
