"""Addresses of the documentation ranges; when thousands of machines have used them up, of the benchmark range."""

from collections.abc import Iterator
from heapq import heappop, heappush
from ipaddress import IPv4Network

RANGES = ("198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15")


def _all() -> Iterator[str]:
    for cidr in RANGES:
        yield from map(str, IPv4Network(cidr).hosts())


class AddressPool:
    """Gives freed addresses out again at once: an address never identifies a machine."""

    def __init__(self) -> None:
        self._fresh = _all()
        self._freed: list[str] = []
        self._used: set[str] = set()

    def claim(self, address: str) -> None:
        """Note an address that a loaded machine holds."""
        self._used.add(address)

    def take(self) -> str | None:
        """An address nobody holds, None when there is none left."""
        while self._freed:
            address = heappop(self._freed)
            if address not in self._used:
                self._used.add(address)
                return address
        for address in self._fresh:
            if address not in self._used:
                self._used.add(address)
                return address
        return None

    def give_back(self, address: str) -> None:
        if address in self._used:
            self._used.discard(address)
            heappush(self._freed, address)


def mac_of(address: str) -> str:
    """A locally plausible MAC (`bc:24:11:…`) that goes with the address."""
    last = [int(part) for part in address.split(".")][1:]
    return "bc:24:11:" + ":".join(f"{part:02x}" for part in last)
