"""The fence, where a process adds nothing: who read an earlier round of an operation decides nothing about a later."""

from cloud.models import Account, Instance
from cloud.operations import claims, opening
from cloud.operations.evidence import begun
from cloud.operations.kinds import KINDS
from cloud.operations.models import Operation
from cloud.operations.moves import move
from cloud.operations.opening import Asker
from cloud.operations.states import State
from cloud.timing import timing
from panel.people.models import User
from panel.teams.models import Team
from tests.fixtures import Hands


def in_doubt(account: Account, team: Team, olga: User, clock: Hands) -> Operation:
    """A shutdown that was sent once and is being looked for."""
    machine = Instance.objects.create(
        account=account, provider_id="vm-1", team_id=team.pk, name="one", power="running",
        started_at=clock(), first_seen_at=clock(), changed_at=clock(),
    )  # fmt: skip
    asker = Asker(olga.pk, olga.email)
    row = opening.open_operation(KINDS["shutdown"], machine, by=asker, client_key="key", now=clock()).row
    _send_in_vain(row, clock)
    return row


def _send_in_vain(row: Operation, clock: Hands) -> None:
    assert move(row, State.SENDING, now=clock.move(1), again_at=clock())
    assert move(row, State.CHECKING, now=clock.move(1), again_at=clock(), found=begun(clock()))


def test_what_was_read_before_the_second_try_says_nothing_about_it(
    account: Account, team: Team, olga: User, clock: Hands
) -> None:
    """A slow reader proved that the first try did not happen; meanwhile another has sent it again."""
    row = in_doubt(account, team, olga, clock)
    slow = Operation.objects.get(pk=row.pk)
    assert move(row, State.QUEUED, now=clock.move(1), again_at=clock())
    _send_in_vain(row, clock)
    assert not move(slow, State.NOT_DONE, now=clock.move(1))
    assert not claims.keep(claims.Turn(slow, clock(), timing()), clock(), evidence={"not_done": 9})
    assert Operation.objects.get(pk=row.pk).state == State.CHECKING
    assert "not_done" not in Operation.objects.get(pk=row.pk).evidence
