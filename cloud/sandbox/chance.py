"""Played randomness that is the same for the same words, so that a seed gives the same world."""

from hashlib import blake2b


def fraction(*words: object) -> float:
    """A number in [0, 1) that depends on the words alone."""
    digest = blake2b("|".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
