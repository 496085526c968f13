"""People label a table on a local page; labels are kept, compared and exported.

task       the table: its pairs, mentions and neighbouring paragraphs
labels     what a coder says of a pair, and what the codebook allows
store      the SQLite file beside the table
session    what one coder sees and says
coders     several coders: agreement, disputes, the final label
exports    a corpus table, Label Studio or doccano
server     the page, on 127.0.0.1
"""

from stance.labelling.coders import answered, measure_coders
from stance.labelling.exports import export_labels
from stance.labelling.labels import Label, parse_questions, read_codebook
from stance.labelling.session import Session, check_coder
from stance.labelling.store import Store
from stance.labelling.task import Task, read_task

__all__ = ["Label", "Session", "Store", "Task", "answered", "check_coder", "export_labels"]
__all__ += ["measure_coders", "parse_questions", "read_codebook", "read_task"]
