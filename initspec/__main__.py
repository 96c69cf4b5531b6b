"""``python -m initspec`` is ``initspec``."""

import sys

from ._cli import main

sys.exit(main())
