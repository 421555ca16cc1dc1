"""What the provider answers, as frozen objects. Every field may be None; `raw` keeps the row as it came.

Texts are as hostile as the provider's users: escaping is the work of whoever shows them.
"""

from cloud.shapes.backups import Backup, BackupList, BackupStorage, Schedule
from cloud.shapes.fields import Rows, Shape, ShapeError
from cloud.shapes.machines import (
    Instance,
    InstanceList,
    InstanceType,
    Power,
    Region,
    Specs,
    Stats,
    TeamInstances,
    Template,
    TemplateList,
    TypeList,
    power,
)
from cloud.shapes.network import Address, AddressList, Firewall, Rule
from cloud.shapes.tasks import (
    Health,
    History,
    HistoryEvent,
    Renamed,
    Started,
    Task,
    TaskList,
    TaskState,
    VncTicket,
    task_state,
)

__all__ = [
    "Address",
    "AddressList",
    "Backup",
    "BackupList",
    "BackupStorage",
    "Firewall",
    "Health",
    "History",
    "HistoryEvent",
    "Instance",
    "InstanceList",
    "InstanceType",
    "Power",
    "Region",
    "Renamed",
    "Rows",
    "Rule",
    "Schedule",
    "Shape",
    "ShapeError",
    "Specs",
    "Started",
    "Stats",
    "Task",
    "TaskList",
    "TaskState",
    "TeamInstances",
    "Template",
    "TemplateList",
    "TypeList",
    "VncTicket",
    "power",
    "task_state",
]
