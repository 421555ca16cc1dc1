"""The functions that the house hands to the cloud at start-up (panel/live/apps.py)."""

from cloud.ports import Ports
from panel import errands
from panel.accounts.told import key_refused
from panel.actions.asked_again import put_on_record, why_not
from panel.audit.checkpoints import checkpoint_if_due
from panel.live import news

PORTS = Ports(
    tell=news.tell,
    show_point=news.show_point,
    say_fresh=news.say_fresh,
    is_watched=news.is_watched,
    looked_at=news.looked_at,
    tidy=news.tidy,
    home_team=news.home_team,
    why_not=why_not,
    record=put_on_record,
    checkpoint=checkpoint_if_due,
    errands=errands.run,
    key_refused=key_refused,
)
