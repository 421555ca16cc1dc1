"""The whole story of a seed, for a person who must find out what went wrong."""

from tests.faults.judge import Case
from tests.faults.scene import Scene
from tests.faults.seeds import Played, Stage


def tell(stage: Stage, played: Played) -> str:
    lines = ["", f"=== seed {played.plan.seed}: {len(played.broken)} violation(s)"]
    lines += [f"  !! {each}" for each in played.broken]
    begin = played.began_at
    for machine, asks in zip(played.machines, played.plan.chains, strict=False):
        lines.append(f"--- {machine.provider_id} ({machine.name}), began {machine.power}")
        for ask in asks:
            lines.append(f"    {ask}")
    lines += [f"    {ask}" for ask in played.plan.launches]
    lines += [f"  {hit}" for hit in played.hits]
    lines += [line for scene in played.scenes for line in _scene(scene)]
    lines += [line for case in played.cases for line in _case(case, begin)]
    machines = {machine.provider_id for machine in played.machines}
    names = {ask.name for ask in played.plan.launches}
    lines.append("--- calls about these machines")
    for call in stage.door.watch():
        if call.machine in machines or (call.name and call.name in names):
            took = "open" if call.seconds is None else f"{call.seconds:.2f} s"
            lines.append(
                f"    {call.at - begin:7.2f} {call.method} {call.path[-50:]} {call.status} {took} {call.fault or ''}"
            )
    blows = [(start - begin, end - begin) for start, end in stage.blows if end > begin]
    lines.append(f"--- blows: {', '.join(f'{start:.1f}–{end:.1f}' for start, end in blows)}")
    lines.append(f"again: script/faults --seed {played.plan.seed} --runs 1 --points {len(played.plan.points)}\n")
    return "\n".join(lines)


def _scene(scene: Scene) -> list[str]:
    return [f"    {scene.ask.kind} {scene.key}: answered {scene.answers} {scene.rivals} {scene.notes}"]


def _case(case: Case, begin: float) -> list[str]:
    row = case.row
    lines = [f"--- {row.kind} {row.id} of {row.provider_id}: {row.state}, fence {row.fence}; {row.outcome!r}"]
    lines.append(
        f"    params {row.params} precondition {row.precondition} task {row.task_id!r} evidence {row.evidence}"
    )
    lines += [
        f"    {event.at - begin:7.2f} {event.fence:3} {event.before} → {event.after} by {event.by}: {event.words}"
        for event in case.events
    ]
    for attempt in case.attempts:
        ended = "never ended" if attempt.ended_at is None else f"ended {attempt.ended_at - begin:.2f}"
        words = f"{ended} {attempt.result} {attempt.status} {attempt.body[:100]!r}"
        lines.append(f"    {attempt.marked_at - begin:7.2f} attempt {attempt.fence} by {attempt.sender}: {words}")
    lines += [
        f"    {commit.at - begin:7.2f} took effect: {commit.endpoint} task {commit.task_id} {commit.params}"
        for commit in case.commits
    ]
    lines.append(f"    record: {case.record}")
    return lines
