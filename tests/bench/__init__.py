"""Benchmarks beside floors, run by `script/bench`: figures for people, never timed tests."""
