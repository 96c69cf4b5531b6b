"""``python -m initspec`` is ``initspec``."""

import os
import sys

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Python puts the current folder first, and nothing is to be imported from there: a file called
# random.py may lie in it. Only where this package lies in it itself, not installed, it stays.
try:
    if sys.path[0] == os.getcwd() != HOME:
        del sys.path[0]
except OSError:  # a folder that is gone
    pass

from .commands.main import main  # noqa: E402 - from the path as it is now

sys.exit(main())
