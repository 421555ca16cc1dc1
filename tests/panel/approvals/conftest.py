from tests.fixtures import *  # noqa: F403 -- the cast is shared by rooms
