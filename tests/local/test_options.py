"""Nonsense at the command line is refused with one sentence before anything starts."""

import pytest

from panel.local import options
from panel.local.options import CannotStart


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "0"], "--port must be a whole number from 1 to 65535, not 0."),
        (["--port", "x"], "--port must be a whole number, not 'x'."),
        (["--port", "8000.5"], "--port must be a whole number, not '8000.5'."),
        (["--machines", "-1"], "--machines must be a whole number from 0 to 100000, not -1."),
        (["--speed", "0"], "--speed must be a number from 0.01 to 1000, not 0."),
        (["--speed", "nan"], "--speed must be a number from 0.01 to 1000, not nan."),
        (["--sped", "1"], "script/up: unrecognized arguments: --sped 1. Try script/up --help."),
    ],
)
def test_nonsense_is_refused_in_words(words: list[str], sentence: str) -> None:
    with pytest.raises(CannotStart) as refusal:
        options.read(words, {})
    assert str(refusal.value) == sentence


def test_without_words_everything_has_a_default() -> None:
    said = options.read([], {})
    assert (said.port, said.machines, said.speed, said.api_key) == (8000, 24, 10, "")
    assert said.site_url == "http://localhost:8000"


def test_a_key_in_the_environment_means_the_real_provider() -> None:
    assert options.read([], {"BLUELOBSTER_API_KEY": " key "}).api_key == "key"
