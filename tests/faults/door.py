"""The sandbox's control door: break calls, change the world, and read what truly happened."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

PANEL = "Tidepool"
PATIENCE_S = 20.0
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl olga@laptop"
# Endpoints by kind of operation.
ENDPOINTS = {
    "power_on": "power_on",
    "shutdown": "shutdown",
    "reboot": "reboot",
    "rename": "rename_instance",
    "delete": "delete_instance",
    "force_off": "power_off",
    "power_cycle": "power_cycle",
    "launch": "launch_instance",
    "launch_custom": "launch_custom",
}
LAUNCHES = frozenset({"launch_instance", "launch_custom"})
KINDS = {endpoint: kind for kind, endpoint in ENDPOINTS.items()}


@dataclass(frozen=True)
class Request:
    """One call of the panel that reached the provider. `status` is None while it is open, or when it was cut off."""

    seq: int
    at: float
    method: str
    path: str
    endpoint: str
    request_id: str
    status: int | None
    seconds: float | None
    fault: str | None
    name: str  # that a launch asks for

    @property
    def machine(self) -> str:
        parts = self.path.split("/")
        return parts[4] if len(parts) > 4 and parts[3] == "instances" else ""


@dataclass(frozen=True)
class Commit:
    """A write that took effect. `at` is when its call arrived; the sandbox's own stamp has whole seconds only."""

    seq: int
    at: float
    endpoint: str
    machine: str
    params: dict[str, Any]
    task_id: str | None


class Door:
    """Threads may share it. `watch` is to be called every few seconds: the sandbox forgets old calls."""

    def __init__(self, url: str, key: str) -> None:
        # Shorter than the sandbox keeps idle connections: one that it closes in that moment would be an error of ours.
        idle = httpx.Limits(keepalive_expiry=2)
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=15, headers={"X-API-Key": key}, limits=idle)
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self._commits: list[dict[str, Any]] = []  # numbered from 1 without gaps
        self._arrived: dict[str, float] = {}
        self._log, self._seen = "", 0
        self._open: dict[int, int] = {}  # calls without an end so far: their number, their place in `requests`

    def close(self) -> None:
        self._http.close()

    def add_faults(self, *rules: dict[str, Any]) -> list[int]:
        return list(self._post("faults", {"rules": list(rules)})["ids"])

    def clear(self, *ids: int) -> None:
        """These rules, or all."""
        self._send("DELETE", "faults", params={"id": list(ids)} if ids else {})

    def rules(self) -> list[dict[str, Any]]:
        return list(self._get("faults")["rules"])

    def change(self, do: str, **action: Any) -> dict[str, Any]:
        return self._post("world", {"do": do, **action})

    def add(self, name: str, count: int) -> list[str]:
        """Make machines outside the panel, up for a minute: an uptime that is near to a restart proves nothing."""
        return list(self.change("add", name=name, count=count, age_s=60)["added"])

    def launch(self, name: str) -> dict[str, Any]:
        """Somebody else launches a machine, past the panel; the provider's answer."""
        body = {"region": "igl", "instance_type": "v1_cpu_medium", "name": name, "ssh_key": PUBLIC}
        answer = self._http.post("/api/v1/instances/launch-instance", json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def truth(self, machine: str) -> dict[str, Any] | None:
        """A machine as it truly is; with `gone_at` once it is deleted."""
        found: dict[str, Any] | None = self._read("/__sandbox__/state", instance=machine).json()
        return found

    def state(self) -> dict[str, Any]:
        return self._get("state")

    def task(self, task_id: str) -> dict[str, Any]:
        """As the provider shows it to any client; {} when it does not know it."""
        answer = self._read(f"/api/v1/tasks/{task_id}")
        return dict(answer.json()) if answer.is_success else {}

    def watch(self) -> list[Request]:
        """Read the calls that are new, and the end of those that were open; all of the panel's so far."""
        with self._lock:
            answer = self._get(f"requests?since={self._since()}&limit=10000")
            if answer["log"] != self._log:  # another sandbox process: its log begins anew
                self._log, self._seen, self._open = answer["log"], 0, {}
                answer = self._get("requests?since=0&limit=10000")
            for raw in answer["requests"]:
                self._note(raw)
            return list(self.requests)

    def _since(self) -> int:
        return min([self._seen, *(seq - 1 for seq in self._open)])

    def _note(self, raw: dict[str, Any]) -> None:
        seq = int(raw["seq"])
        if seq <= self._seen and seq not in self._open:
            return
        self._seen = max(self._seen, seq)
        self._arrived[raw["request_id"]] = raw["at"]
        if not raw["user_agent"].startswith(PANEL):
            return
        request = Request(**{name: raw[name] for name in Request.__dataclass_fields__})
        at = self._open.pop(seq, None)
        if at is None:
            self.requests.append(request)
            at = len(self.requests) - 1
        self.requests[at] = request
        if request.seconds is None:
            self._open[seq] = at

    def recent(self, timeout_s: float = 15.0) -> list[Request]:
        """The last calls as they are at this moment."""
        address = f"/__sandbox__/requests?since={max(0, self._seen - 300)}&limit=10000"
        raws = self._http.get(address, timeout=timeout_s).raise_for_status().json()["requests"]
        rows = [Request(**{name: raw[name] for name in Request.__dataclass_fields__}) for raw in raws]
        return rows

    def commits(self, machine: str = "") -> list[Commit]:
        """All of them, or one machine's, oldest first."""
        with self._lock:
            answer = self._get(f"commits?since={len(self._commits)}&limit=10000")
            self._commits += [raw for raw in answer["commits"] if raw["seq"] > len(self._commits)]
            found = [raw for raw in self._commits if not machine or raw["target"] == machine]
        self.watch()
        return [self._commit(raw) for raw in found]

    def _commit(self, raw: dict[str, Any]) -> Commit:
        # A log that ended with its sandbox before we read it leaves the stamp: the second in which it took effect.
        at = self._arrived.get(raw["request_id"], datetime.fromisoformat(raw["at"]).timestamp() + 1)
        return Commit(raw["seq"], at, raw["endpoint"], raw["target"] or "", raw["params"], raw["task_id"])

    def _get(self, door: str) -> dict[str, Any]:
        return dict(self._read(f"/__sandbox__/{door}").raise_for_status().json())

    def _read(self, path: str, **query: str) -> httpx.Response:
        """Asked again while somebody strikes the sandbox: a look of ours changes nothing."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._http.get(path, params=query or None)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _post(self, door: str, body: Any) -> dict[str, Any]:
        return dict(self._send("POST", door, json=body).json())

    def _send(self, method: str, door: str, **content: Any) -> httpx.Response:
        """Asked again while nobody is there to hear it; what was sent is not sent twice, only cleared."""
        again = httpx.TransportError if method == "DELETE" else httpx.ConnectError
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._http.request(method, f"/__sandbox__/{door}", **content)
                break
            except again:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        assert answer.is_success, answer.text
        return answer


def fault(kind: str, when: str, machine: str, *, asks: str = "", times: int = 1, **more: Any) -> dict[str, Any]:
    """A rule for one machine's calls; for one kind of operation's write alone when `asks` names it."""
    rule = {"kind": kind, "when": when, "path_prefix": f"/instances/{machine}", "times": times, **more}
    return rule | ({"endpoint": ENDPOINTS[asks]} if asks else {})


def launch_fault(kind: str, when: str, name: str, *, times: int = 1, **more: Any) -> dict[str, Any]:
    """A rule for the launch of the machine with this name."""
    return {"kind": kind, "when": when, "name": name, "times": times, "endpoint": sorted(LAUNCHES), **more}
