"""Reports that people look at: one self-contained HTML file, no script, no request."""

from stance.findings import Request
from stance.reports._answers import Maker, read_maker
from stance.reports._articles import ReadRequest, articles_of, write_articles
from stance.reports._evaluation import evaluation_page
from stance.reports._files import check_figures
from stance.reports._predictions import write_predictions

__all__ = ["Maker", "ReadRequest", "Request", "articles_of", "check_figures", "read_maker"]
__all__ += ["evaluation_page", "write_articles", "write_predictions"]
