"""How Sphinx makes a site of these pages.

Build it with ``sphinx-build -nWqc docs . docs/_build``. The source folder is the repository, so
that a link works between files as it does on the site.
"""

import re

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject

from stance import __version__

project = "stance"
author = "The stance developers"
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["docs/**", "training/README.md", "*.md"]
exclude_patterns = ["docs/_build", "docs/jupyter_execute", ".*", "**/.*", "stance", "tests"]
templates_path = ["_templates"]
highlight_language = "text"
autodoc_typehints = "none"
default_role = "code"  # what stands in single backticks in docstrings
napoleon_use_ivar = True
napoleon_use_rtype = False
nitpick_ignore_regex = [("py:class", r"(?!stance\.).*")]  # "sequence of str" is no class
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # docs/transcripts.py runs them, and stores what they print

html_theme = "furo"
html_title = f"stance {version}"
html_additional_pages = {"index": "redirect.html"}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = html_show_copyright = html_use_index = html_domain_indices = False

_FILE = re.compile(r"^```(\w+) (\S+)$", re.MULTILINE)


def _name_files(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = _FILE.sub(r"```{code-block} \1\n:caption: \2\n", source[0])


def setup(app: Sphinx) -> None:
    """Show the names of files above them, their rows as they are, and attributes by that name."""
    app.connect("source-read", _name_files)
    app.add_lexer("csv", TextLexer)
    for kind in PyObject.doc_field_types:
        if kind.name == "variable":
            kind.label = "Attributes"
