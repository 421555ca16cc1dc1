"""`python -m cloud.sandbox --port 9100 --state sandbox.db`: see the package's docstring."""

import argparse
import os
import sqlite3
import sys

from cloud.sandbox.app import create_app
from cloud.sandbox.sandbox import DEFAULT_KEY, DEFAULT_MACHINES, DEFAULT_SEED, Sandbox
from cloud.sandbox.serve import serve


def positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cloud.sandbox", description="A simulated provider.")
    parser.add_argument("--host", default="127.0.0.1", help="the control door has no key: keep it on loopback")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", required=True, metavar="FILE", help="where the world is kept")
    parser.add_argument("--machines", type=int, default=DEFAULT_MACHINES, help="of a new world (%(default)s)")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of a new world (%(default)s)")
    parser.add_argument("--speed", type=positive, default=None, help="played seconds a second (as before, else 1)")
    parser.add_argument("--key", default=os.environ.get("SANDBOX_API_KEY") or DEFAULT_KEY, help="the X-API-Key")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    try:
        sandbox = Sandbox.open(args.state, machines=args.machines, seed=args.seed, speed=args.speed, key=args.key)
    except sqlite3.OperationalError as error:
        sys.stderr.write(f"sandbox: cannot open {args.state}: {error}\n")
        return 1
    try:
        serve(create_app(sandbox), host=args.host, port=args.port)
    finally:
        sandbox.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
