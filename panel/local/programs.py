"""Which programs `script/up` runs, and what each of them may know."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from panel.local.children import Program
from panel.local.options import Options

SANDBOX_KEY = "sandbox_key"
# The provider's key is for the one-shot that seals it; nobody else is given it.
SECRET_VARIABLES = ("BLUELOBSTER_API_KEY", "SANDBOX_API_KEY")

# The sweeper alone signs the record's checkpoints.
UNSIGNED = {"TIDEPOOL_RECORD_KEY_FILE": os.devnull}


class Programs:
    """The programs of one installation, and the environment of each."""

    def __init__(self, options: Options, environment: Mapping[str, str]) -> None:
        self._options = options
        files = options.files
        self.common = {name: value for name, value in environment.items() if name not in SECRET_VARIABLES}
        self.common |= {
            "DJANGO_SETTINGS_MODULE": "panel.settings",
            "TIDEPOOL_DATA": str(files.data),
            "TIDEPOOL_URL": options.site_url,
            "REDIS_URL": environment.get("REDIS_URL") or f"unix://{files.socket}",
        }

    def first_run(self, sandbox_url: str | None) -> Program:
        """Migrations, static files, the first person, the provider's account: once at each start."""
        secret = (
            {"TIDEPOOL_SANDBOX_URL": sandbox_url} if sandbox_url else {"BLUELOBSTER_API_KEY": self._options.api_key}
        )
        return Program("first_run", (sys.executable, "manage.py", "first_run"), self.common | secret)

    def web(self) -> Program:
        """It may seal a key and cannot open one."""
        words = (
            f"panel.asgi:application --host 127.0.0.1 --port {self._options.port} --no-access-log --log-level warning"
        )
        more = "--timeout-graceful-shutdown 2 --no-server-header"
        wall = {"TIDEPOOL_WORKER_PRIVATE_KEY_FILE": os.devnull, **UNSIGNED}
        return _program("web", "uvicorn", *words.split(), *more.split(), environment=self.common | wall)

    def worker(self) -> Program:
        words = "-A panel.celery worker -P threads --without-gossip --without-mingle --without-heartbeat -l WARNING"
        return _program("worker", "celery", *words.split(), environment=self.common | UNSIGNED)

    def sweeper(self) -> Program:
        """It does the workers' work while Redis is away, so it holds their key; and it signs the record."""
        return Program("sweeper", (sys.executable, "manage.py", "run_sweeper"), self.common)

    def sandbox(self, port: int, key: str) -> Program:
        options = self._options
        state = Path(options.files.data / "sandbox.state")
        words = f"--port {port} --machines {options.machines} --speed {options.speed:g} --state"
        return _program(
            "sandbox", "cloud.sandbox", *words.split(), str(state), environment=self.common | {"SANDBOX_API_KEY": key}
        )


def _program(name: str, module: str, *words: str, environment: Mapping[str, str]) -> Program:
    return Program(name, (sys.executable, "-m", module, *words), environment)
