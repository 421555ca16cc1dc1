"""A simulated Blue Lobster: an own process with an own memory that behaves as the live service was seen to do.

    python -m cloud.sandbox --port 9100 --state sandbox.db [--machines 24] [--speed 1] [--seed 7]
                            [--host 127.0.0.1] [--key KEY]

It serves the provider's 41 endpoints under /api/v1 with X-API-Key (KEY, else SANDBOX_API_KEY, else `sandbox-key`)
and knows nothing of the panel. Three things make it more than a mock:

- Work takes time. Tasks last as long as on the live service, divided by the speed; the times shown are the wall
  clock's. Everything is derived from the clock, so a restart changes nothing: what was answered is on disk.
- It has the live service's oddities, each a switch (`quirks.py`), and goes wrong on demand (`faults.py`).
- A control door (/__sandbox__/, described in `control.py`) tells what truly happened: `commits` lists every write
  that took effect, `requests` every call that came in. It changes the world behind the panel's back (`changes.py`).

How it hangs together:

    serve ▶ gate (key, pace, faults) ▶ routes/* ▶ world (state, rules) ▶ store (SQLite)
                      └▶ control            tasks, timetable (what comes with time)

It imports nothing from the rest of the project, and nothing of the rest imports it.
"""
