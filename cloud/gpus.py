"""Memory of graphics cards. The provider's catalogue has none: its `memory_gib` is the machine's memory.

Source: the makers' data sheets; keys are folded (lower case, letters and digits only).
"""

from collections.abc import Sequence

VRAM_GB = {
    "2080ti": 11,
    "a4000": 16,
    "a5000": 24,
    "a6000": 48,
    "8000": 48,
    "5090": 32,
    "4090": 24,
    "3090": 24,
    "a100": 80,
    "h100": 80,
}
PLAIN_PREFIXES = ("nvidia", "geforce", "quadro", "rtx", "gtx")


def folded(model: str) -> str:
    """The model's bare mark: "NVIDIA RTX A4000" and "a4000" are both `a4000`."""
    mark = "".join(letter for letter in model.lower() if letter.isalnum())
    stripped = True
    while stripped:
        stripped = False
        for prefix in PLAIN_PREFIXES:
            if mark.startswith(prefix):
                mark, stripped = mark.removeprefix(prefix), True
    return mark


def vram_gb(model: str, count: int = 1) -> int | None:
    """Memory of `count` cards in GB, or None for a card that the table does not know."""
    each = VRAM_GB.get(folded(model))
    return each * count if each else None


def one_name(models: Sequence[str]) -> str:
    """Several spellings of one card are one; several cards stand beside each other."""
    return models[0] if len({folded(model) for model in models}) == 1 else ", ".join(models)


def short_name(model: str) -> str:
    """The model as people say it: "RTX A4000" is an A4000, "RTX 2080 Ti" a 2080 Ti, and "RTX 8000" keeps its family."""
    words = [word for word in model.split() if word.lower() not in {"nvidia", "geforce", "quadro"}]
    is_plain = (
        len(words) > 1
        and words[0].lower() in {"rtx", "gtx", "tesla"}
        and (words[1][:1].upper() in {"A", "H", "L"} or len(words) > 2)
    )
    return " ".join(words[1:] if is_plain else words)
