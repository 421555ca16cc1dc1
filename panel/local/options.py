"""What a person may say to `script/up`, read and checked before anything starts."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from panel.settings import paths


class CannotStart(Exception):
    """Why nothing was started, as one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Options:
    port: int
    files: paths.Paths
    machines: int
    speed: float
    api_key: str  # of a real provider; empty means the sandbox

    @property
    def site_url(self) -> str:
        return f"http://localhost:{self.port}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CannotStart(f"script/up: {message}. Try script/up --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="script/up", description="Runs Tidepool in this terminal, on 127.0.0.1, until Ctrl-C.")
    parser.add_argument("--port", default="8000", help="where the panel answers (%(default)s)")
    parser.add_argument("--data", metavar="DIR", help="where everything is kept (.tidepool/)")
    parser.add_argument("--machines", default="24", metavar="N", help="of a new sandbox (%(default)s)")
    parser.add_argument("--speed", default="10", metavar="X", help="how fast the sandbox's time runs (%(default)s)")
    return parser


def read(argv: list[str] | None, environment: Mapping[str, str] = os.environ) -> Options:
    """The options of this start. Raises CannotStart with a sentence for every kind of nonsense."""
    said = _parser().parse_args(argv)
    data = Path(said.data).expanduser().absolute() if said.data else paths.from_environment().data
    return Options(
        port=int(_number("--port", said.port, least=1, most=65535, whole=True)),
        files=paths.Paths(data),
        machines=int(_number("--machines", said.machines, least=0, most=100_000, whole=True)),
        speed=_number("--speed", said.speed, least=0.01, most=1000),
        api_key=environment.get("BLUELOBSTER_API_KEY", "").strip(),
    )


def _number(name: str, raw: str, *, least: float, most: float, whole: bool = False) -> float:
    kind = "a whole number" if whole else "a number"
    try:
        value: float = int(raw) if whole else float(raw)
    except ValueError:
        raise CannotStart(f"{name} must be {kind}, not {raw!r}.") from None
    if not least <= value <= most:  # also refuses "nan", which no bound contains
        raise CannotStart(f"{name} must be {kind} from {least:g} to {most:g}, not {raw}.")
    return value
