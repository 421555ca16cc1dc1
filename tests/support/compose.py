"""docker-compose.yml as Docker would read it, on a machine without: commands and environments of its services."""

import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import yaml

from tests.support.early import BASE

VARIABLE = re.compile(r"\$\{(\w+)(?::?([-?])([^}]*))?\}")


@dataclass(frozen=True)
class Service:
    name: str
    command: list[str]
    environment: dict[str, str]
    secrets: list[str]


def services(variables: Mapping[str, str], elsewhere: Mapping[str, str]) -> dict[str, Service]:
    """The services by name. `elsewhere`: what stands on this machine in the place of a container's address or path."""
    found = yaml.safe_load((BASE / "docker-compose.yml").read_text())["services"]

    def here(value: object) -> str:
        text = VARIABLE.sub(lambda found: _value(found, variables), str(value))
        for there, place in elsewhere.items():
            text = text.replace(there, place)
        return text

    return {name: _service(name, raw, here) for name, raw in found.items()}


def _service(name: str, raw: Mapping[str, object], here: Callable[[object], str]) -> Service:
    environment = raw.get("environment") or {}
    secrets = raw.get("secrets") or []
    assert isinstance(environment, dict)
    assert isinstance(secrets, list)
    command = [sys.executable if word == "python" else word for word in shlex.split(here(raw.get("command") or ""))]
    return Service(name, command, {key: here(value) for key, value in environment.items()}, secrets)


def _value(found: "re.Match[str]", variables: Mapping[str, str]) -> str:
    name, sign, word = found.groups()
    if variables.get(name):
        return variables[name]
    assert sign == "-", f"{name} is demanded and has no value"
    return str(word)
