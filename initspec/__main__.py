"""``python -m initspec`` is ``initspec``."""

import os
import sys

# Python puts the current folder first, from which nothing is imported here: a file called random.py
# may lie there. What is run where it lies, and not installed, needs it.
if sys.path[:1] == [os.getcwd()] != [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]:
    del sys.path[0]

from .commands.main import main

sys.exit(main())
