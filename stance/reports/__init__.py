"""Reports that people look at: one self-contained HTML file, no script, no request."""

from stance.reports._survey import Request
from stance.reports.evaluation import write_evaluation
from stance.reports.examples import worst_mistakes
from stance.reports.predictions import Maker, read_maker, write_predictions

__all__ = ["Maker", "Request", "read_maker"]
__all__ += ["worst_mistakes", "write_evaluation", "write_predictions"]
