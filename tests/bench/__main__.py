"""`script/bench`: measures what performance.md promises, beside its floors, and writes RESULTS.md."""

import argparse
import os
import sys


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("--only", metavar="1,2", default="", help="some numbers of performance.md; prints them only")
    parser.add_argument(
        "--database-url", metavar="URL", help="PostgreSQL, where databases may be made (default: SQLite of its own)"
    )
    return parser.parse_args()


def main() -> int:
    words = _words()
    if words.database_url:
        os.environ["TEST_DATABASE_URL"] = words.database_url
    os.environ["DJANGO_SETTINGS_MODULE"] = "panel.settings"
    from tests.support import early, valkey  # noqa: PLC0415 -- sets the environment that the settings read

    early.DATA.chmod(0o700)
    import django  # noqa: PLC0415 -- not before the environment stands

    django.setup()
    from tests.bench import run  # noqa: PLC0415 -- not before Django

    wanted = {int(word) for word in words.only.split(",") if word.strip()}
    with valkey.running(early.DATA / "valkey.sock", early.DATA / "valkey"):
        return run.run(wanted)


if __name__ == "__main__":
    sys.exit(main())
