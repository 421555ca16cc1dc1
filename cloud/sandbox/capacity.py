"""Where there is room for what. It comes and goes every few minutes of played time, the same way for the same seed."""

from cloud.sandbox.catalogue import REGIONS, TYPES, MachineType
from cloud.sandbox.chance import fraction
from cloud.sandbox.state import Meta

SPELL_S = 600.0  # how long, in played seconds, a region keeps or lacks room for a type


def has_room(meta: Meta, kind: str, region: str, played: float) -> bool:
    """Whether a launch of this type would find room now. What the control door set wins over chance."""
    for key in (f"{kind}@{region}", f"{kind}@*", f"*@{region}", "*@*"):
        if key in meta.capacity:
            return meta.capacity[key]
    if not meta.quirks["capacity_moves"] or kind not in TYPES or TYPES[kind].gpus == 0:
        return True
    return fraction(meta.seed, "room", kind, region, int(played // SPELL_S)) < _likelihood(TYPES[kind], region)


def _likelihood(kind: MachineType, region: str) -> float:
    """Big machines and the small region are full more often."""
    return max(0.15, 0.9 - 0.15 * (kind.gpus - 1) - (0.25 if region == "phl" else 0.0))


def regions_with_room(meta: Meta, kind: str, played: float) -> list[str]:
    """Codes of the regions, possibly none."""
    return [code for code in REGIONS if has_room(meta, kind, code, played)]
