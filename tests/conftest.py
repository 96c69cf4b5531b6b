"""Settings of all tests."""

import os

from hypothesis import settings

# A busy machine is no fault; and where CI runs, the same examples run each time.
settings.register_profile("initspec", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("initspec")
