"""``python -m initspec`` is ``initspec``."""

import sys

from .commands.main import main

sys.exit(main())
