"""Settings of the site: ``python docs/build.py``."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_extensions"))

from sphinx.ext.autodoc.mock import _MockObject  # noqa: E402

import initspec  # noqa: E402

project = "initspec"
author = "The initspec authors"
project_copyright = "The initspec authors"
version = release = initspec.__version__

extensions = [
    "mathml",
    "myst_parser",
    "plain",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
]
exclude_patterns = ["_*"]
root_doc = "index"
nitpicky = True
# Other packages, modules that have no page of their own, and constants.
nitpick_ignore_regex = [
    (r"py:.*", r"(collections|keras|numpy|pathlib|torch)\..*"),
    (r"py:(mod|data)", r".*"),
    (r"py:class", r"Shape|Window|KerasInitializer|PlanFields"),
    # What adapters and plans say to each other, which has no page of its own.
    (r"py:.*", r"initspec\.(protocol\.Model|(stream|analysis)\.parts\.Part)"),
    (r"py:.*", r"initspec\.backends\.(jax\.tree|torch\.model)\..*"),
]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

# The adapters are documented without their frameworks.
autodoc_mock_imports = ["torch", "tensorflow", "keras", "jax", "jaxlib", "ml_dtypes"]
_MockObject.__or__ = lambda self, other: self  # as in "Generator | None"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"

html_title = "initspec"
html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["calm.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
_FONTS = {
    "font-stack": "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Arial, sans-serif",
    "font-stack--monospace": "ui-monospace, Menlo, Consolas, 'Liberation Mono', monospace",
}
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {
        **_FONTS,
        "color-brand-primary": "#0b5c66",
        "color-brand-content": "#0b6b76",
        "color-brand-visited": "#0b6b76",
        "color-foreground-primary": "#1c2328",
        "color-background-secondary": "#f6f8f8",
        "color-background-border": "#e2e7e8",
        "color-inline-code-background": "#f1f4f4",
        "color-code-background": "#f6f8f8",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7fc9d1",
        "color-brand-content": "#7fc9d1",
        "color-brand-visited": "#7fc9d1",
        "color-foreground-primary": "#dfe5e7",
        "color-background-primary": "#14191b",
        "color-background-secondary": "#181e20",
        "color-background-border": "#2a3235",
        "color-inline-code-background": "#212a2d",
        "color-code-background": "#1b2224",
    },
}
copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
pygments_style = "friendly"
pygments_dark_style = "github-dark"
