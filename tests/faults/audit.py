"""The panel's own look at its record: `manage.py audit_verify`, as an administrator would run it."""

import subprocess
import sys

from tests.faults.house import House
from tests.support.early import BASE
from tests.support.processes import environment


def complaints(house: House) -> list[str]:
    """What it says when it finds something wrong; [] when all is well."""
    variables = environment(
        TIDEPOOL_DATA=str(house.files.data), DATABASE_URL=house.database_url, TIDEPOOL_URL=house.url
    )
    command = (sys.executable, "manage.py", "audit_verify")
    done = subprocess.run(command, cwd=BASE, env=variables, capture_output=True, text=True, check=False, timeout=120)
    return [f"audit_verify: {done.stdout} {done.stderr}"] if done.returncode else []
