from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.fixtures import *  # noqa: F403 -- the cast is shared by rooms


@pytest.fixture(autouse=True)
def copies(settings: Settings, tmp_path: Path) -> Path:
    """The file of checkpoints outside the database, of this test alone."""
    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoints.jsonl")
    return Path(settings.CHECKPOINT_FILE)
