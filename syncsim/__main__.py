"""``python -m syncsim`` is the same as ``syncsim``."""

import sys

if not sys.flags.safe_path:
    # In the first place is the current folder, and what lies there is not ours.
    sys.path[0] = __file__.rsplit("/", 2)[0]

from syncsim.cli import main

if __name__ == "__main__":
    sys.exit(main())
