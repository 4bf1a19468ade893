"""``python -m syncsim`` is the same as ``syncsim``."""

import sys

from syncsim.cli import main

if __name__ == "__main__":
    sys.exit(main())
