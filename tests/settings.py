"""The panel's own settings, read after the tests' environment was set. Processes that a test starts get the real ones."""

import os

from tests.support import early  # noqa: F401 -- sets the environment that the next line reads

from panel.settings import *  # noqa: F403, E402, I001 -- the same settings, name by name

os.environ["DJANGO_SETTINGS_MODULE"] = "panel.settings"
