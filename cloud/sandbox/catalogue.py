"""What the provider sells: regions, the 19 types, the 10 templates, and the hosts it runs them on."""

from dataclasses import dataclass
from typing import Any

BACKUP_STORAGE = "wil-pbs-01"


@dataclass(frozen=True)
class Region:
    code: str
    name: str
    state: str
    hosts: int

    def described(self) -> dict[str, Any]:
        """As `list_available` shows it."""
        return {
            "name": self.code,
            "description": f"{self.name}, {self.state}, USA",
            "location": {"city": self.name, "state": self.state, "country": "USA"},
        }

    def host(self, number: int) -> str:
        """The host with this number, counted round: `wil-gpu-26`."""
        return f"{self.name[:3].lower() if self.code == 'igl' else self.code}-gpu-{number % self.hosts + 1:02d}"


@dataclass(frozen=True)
class MachineType:
    """`price_cents_per_hour` is what was seen on the live service. `memory_gib` is the machine's, not the card's."""

    name: str
    gpus: int
    card: str | None
    vcpus: int
    memory_gib: int
    storage_gib: int
    price_cents_per_hour: int


@dataclass(frozen=True)
class Template:
    name: str
    vmid: int
    display_name: str
    os_type: str
    has_nvidia: bool


REGIONS = {
    "igl": Region("igl", "Wilmington", "Delaware", 40),
    "phl": Region("phl", "Philadelphia", "Pennsylvania", 12),
}

# The account's teams, by id. They are made outside the API, so they are always the same.
TEAMS = {
    "5b0f6a52-6d1e-4c55-9a0e-2f4f3d3f8a01": "ML Research",
    "c3a1e0de-77b4-4a39-8f7b-90c1f2b7ad02": "Rendering",
    "0e9d7c34-1a2b-4f60-b6c5-7d8e9fa0bc03": "Web Platform",
}

# card: name, other names it goes by, gib of memory of the card, cents an hour for one
CARDS: dict[str, tuple[str, tuple[str, ...], int, int]] = {
    "a4000": ("RTX A4000", (), 16, 20),
    "a5000": ("RTX A5000", (), 24, 30),
    "a6000": ("RTX A6000", ("RTX A6000", "NVIDIA RTX A6000"), 48, 55),
    "8000": ("Quadro RTX 8000", ("Quadro RTX 8000", "RTX 8000"), 48, 50),
    "2080ti": ("RTX 2080 Ti", (), 11, 15),
    "5090": ("RTX 5090", (), 32, 75),
}


def _types() -> dict[str, MachineType]:
    types = [MachineType("v1_cpu_medium", 0, None, 4, 16, 100, 6)]
    types += [
        MachineType(f"v1_gpu_{n}x_{card}", n, card, 8 * n, 32 * n, 250 * n, cents * n)
        for n in (1, 2, 4)
        for card, (_, _, _, cents) in CARDS.items()
    ]
    return {each.name: each for each in types}


TYPES = _types()

TEMPLATES = {
    each.name: each
    for each in (
        Template("UBUNTU-22-04", 9000, "Ubuntu 22.04 Server", "linux", has_nvidia=False),
        Template("UBUNTU-22-04-NV", 9001, "Ubuntu 22.04 + NVIDIA", "linux", has_nvidia=True),
        Template("UBUNTU-22-04-NV-DK", 9002, "Ubuntu 22.04 + NVIDIA + Docker", "linux", has_nvidia=True),
        Template("UBUNTU-24-04", 9003, "Ubuntu 24.04 Server", "linux", has_nvidia=False),
        Template("UBUNTU-24-04-NV", 9004, "Ubuntu 24.04 + NVIDIA", "linux", has_nvidia=True),
        Template("DEBIAN-12", 9005, "Debian 12", "linux", has_nvidia=False),
        Template("DEBIAN-12-NV", 9006, "Debian 12 + NVIDIA", "linux", has_nvidia=True),
        Template("WINDOWS-11", 9007, "Windows 11 Pro", "windows", has_nvidia=False),
        Template("WINDOWS-11-NV", 9008, "Windows 11 Pro + NVIDIA", "windows", has_nvidia=True),
        Template("WINDOWS-SERVER-2022", 9009, "Windows Server 2022", "windows", has_nvidia=False),
    )
}

# With the quirk `template_ignored`, asking for these gives the default template.
IGNORED_TEMPLATES = frozenset({"DEBIAN-12-NV", "UBUNTU-24-04-NV"})


def default_template(gpus: int) -> str:
    """What a launch without a template gets."""
    return "UBUNTU-22-04-NV" if gpus else "UBUNTU-22-04"


def card_name(card: str | None) -> str | None:
    """The card as an instance reports it; None without one."""
    return CARDS[card][0] if card else None


def find_card(model: str) -> str | None:
    """The card's short name for what a custom launch says (`A4000`, `RTX A4000`), None when there is none."""
    wanted = model.lower().replace(" ", "")
    for card, (name, others, _, _) in CARDS.items():
        if wanted in {card, *(each.lower().replace(" ", "") for each in (name, *others, name.removeprefix("RTX ")))}:
            return card
    return None


def custom_price(vcpus: int, memory_gib: int, storage_gib: int, card: str | None, gpus: int) -> int:
    """Cents an hour of a custom machine."""
    base = vcpus * 0.5 + memory_gib * 0.15 + storage_gib * 0.004
    return max(1, round(base + (CARDS[card][3] * 0.8 * gpus if card else 0)))


def describe_type(kind: MachineType, *, model_lists: bool, na_descriptions: bool) -> dict[str, Any]:
    """`instance_type` of one row of `list_available`, with the quirks of the live service or without."""
    name, others, card_gib, _ = CARDS[kind.card] if kind.card else ("", (), 0, 0)
    model: str | list[str] = list(others) if model_lists and others else name
    described = f"{kind.gpus}x {name} ({card_gib} GB)" if kind.card else "No GPU"
    return {
        "name": kind.name,
        "description": f"{kind.gpus}x {name}" if kind.card else "CPU only, medium",
        "gpu_description": "N/A" if na_descriptions and kind.card in {None, "8000"} else described,
        "price_cents_per_hour": kind.price_cents_per_hour,
        "specs": {
            "vcpus": kind.vcpus,
            "memory_gib": kind.memory_gib,
            "storage_gib": kind.storage_gib,
            "gpus": kind.gpus,
            "gpu_model": model,
        },
    }
