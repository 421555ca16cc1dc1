"""The panel's own settings, read after the tests' environment is set. Processes of tests get the real ones."""

import os

from tests.support import early  # noqa: F401 -- sets the environment that the settings read

# isort: split
from panel.settings import *  # noqa: F403 -- the same settings, name by name

os.environ["DJANGO_SETTINGS_MODULE"] = "panel.settings"
