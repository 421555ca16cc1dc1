"""What a benchmark found: figures with their floors and targets, as lines of a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One line. `most_ratio` limits measured / floor, `most` the measured value itself; without either it informs."""

    number: int
    what: str
    measured: float
    unit: str
    floor: float | None = None
    most_ratio: float | None = None
    most: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.measured / self.floor if self.floor else None

    @property
    def target(self) -> str:
        if self.most_ratio is not None:
            return f"≤ {self.most_ratio:g} ×"
        return "" if self.most is None else f"≤ {_amount(self.most, self.unit)}"

    @property
    def verdict(self) -> str:
        if self.most_ratio is not None and self.ratio is not None:
            return "met" if self.ratio <= self.most_ratio else "MISSED"
        return "" if self.most is None else "met" if self.measured <= self.most else "MISSED"

    def cells(self) -> list[str]:
        floor = "" if self.floor is None else _amount(self.floor, self.unit)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        measured = _amount(self.measured, self.unit)
        return [str(self.number), self.what, measured, floor, ratio, self.target, self.verdict]


@dataclass
class Report:
    """Figures of one part, and what a reader must know to believe them."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _amount(value: float, unit: str) -> str:
    if unit in {"ms", "s"}:
        return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"
    return f"{value:g} {unit}".strip()


def table(figures: Sequence[Figure]) -> str:
    heads = ["#", "what", "measured", "floor", "ratio", "target", "verdict"]
    lines = [heads, ["---"] * len(heads), *(figure.cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
