"""`script/up`: everything in one terminal, on 127.0.0.1. See README.md, "What runs where"."""

import os
import sys

from panel.local import home, keys, options, ports, store
from panel.local.children import end_left_behind
from panel.local.options import CannotStart, Options
from panel.local.programs import SANDBOX_KEY, Programs
from panel.local.supervisor import CannotGoOn, Supervisor, say


def main(argv: list[str] | None = None) -> int:
    try:
        said = options.read(argv)
        with home.claimed(said.files):
            keys.make(said.files)
            return _run(said)
    except CannotStart as error:
        say(str(error))
        return 2
    except CannotGoOn as error:
        say(str(error))
        return 1


def _run(said: Options) -> int:
    programs = Programs(said, os.environ)
    for program in (programs.web(), programs.worker(), programs.sweeper(), programs.sandbox(0, "")):
        end_left_behind(program, said.files)
    if not ports.is_free(said.port):
        raise CannotStart(f"Port {said.port} is taken by another program: choose one with script/up --port.")
    supervisor = Supervisor(said.files)
    try:
        if _start(supervisor, said, programs):
            _ready(said)
            supervisor.watch()
    finally:
        supervisor.end_all()
        said.files.socket.unlink(missing_ok=True)  # Valkey leaves it lying
    return 0


def _start(supervisor: Supervisor, said: Options, programs: Programs) -> bool:
    """Start everything in its order; True once the panel and the sandbox really answer, False when told to end."""
    if not os.environ.get("REDIS_URL"):
        supervisor.start(store.program(said.files, programs.common), store.running(said.files.socket))
    sandbox_port = None if said.api_key else ports.kept(said.files.data / "sandbox_port")
    if sandbox_port:
        key = home.secret_of(said.files.keys / SANDBOX_KEY)
        supervisor.start(programs.sandbox(sandbox_port, key))
    supervisor.run_once(programs.first_run(f"http://127.0.0.1:{sandbox_port}/api/v1" if sandbox_port else None))
    if supervisor.is_ending:
        return False
    for program in (programs.web(), programs.worker(), programs.sweeper()):
        supervisor.start(program)
    return supervisor.wait_for(
        lambda: ports.status_of(said.port, "/healthz") == 200,
        lambda: sandbox_port is None or ports.status_of(sandbox_port, "/api/v1/health") > 0,
    )


def _ready(said: Options) -> None:
    """The one line. The first person's password is printed once, and kept until it was."""
    person = home.first_sign_in(said.files)
    words = f" user={person[0]} password={person[1]}" if person else ""
    try:
        sys.stdout.write(f"ready {said.site_url}{words}\n")
        sys.stdout.flush()
    except OSError:
        return
    home.forget_first_sign_in(said.files)


if __name__ == "__main__":
    sys.exit(main())
