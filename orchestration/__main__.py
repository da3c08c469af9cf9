"""`python -m orchestration`: the command line, as the command `orchestration` runs it."""

import sys

from orchestration.cli import main

if __name__ == "__main__":
    sys.exit(main())
