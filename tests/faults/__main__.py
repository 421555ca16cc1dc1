"""`script/faults`: plays seeds on the real processes, really killed, and says what was broken."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults import results
from tests.faults.run import run


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=30, help="how many seeds (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first of them (%(default)s)")
    parser.add_argument("--points", type=int, default=2, help="kill points a seed (%(default)s)")
    parser.add_argument("--struck", type=int, default=1, metavar="N", help="strike every Nth seed alone (%(default)s)")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two seeds' starts (%(default)s)")
    parser.add_argument("--database-url", default="", help="an empty PostgreSQL database (default: SQLite of its own)")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own, made for this run")
    parser.add_argument("--folder", type=Path, help="where everything is kept (default: a temporary one, removed)")
    parser.add_argument("--write-results", action="store_true", help="put the figures into RESULTS.md")
    return parser.parse_args()


def main() -> int:
    words = _words()
    folder = words.folder or Path(tempfile.mkdtemp(prefix="tp-faults-"))
    seeds = range(words.seed, words.seed + words.runs)
    try:
        with results.database(words) as url:
            whole = run(
                folder, seeds, database_url=url, points_each=words.points, every_s=words.every, struck=words.struck
            )
    finally:
        if words.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(results.said(whole))
    if words.write_results:
        results.write(whole)
    return 1 if whole.violations else 0


if __name__ == "__main__":
    sys.exit(main())
