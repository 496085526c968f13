"""People label a table on a local page; labels are kept, compared and exported.

task       the table: its pairs and mentions
store      what a coder may say, and the SQLite file beside the table that keeps it
coders     what one coder sees; what several agree on; their labels as a table
server     the page, on 127.0.0.1
"""

from stance.labelling.coders import Session, answered, check_coder, export_labels
from stance.labelling.store import Label, Store, parse_questions
from stance.labelling.task import Task, read_task
from stance.records import ADJUDICATED

__all__ = ["ADJUDICATED", "Label", "Session", "Store", "Task", "answered", "check_coder"]
__all__ += ["export_labels", "parse_questions", "read_task"]
