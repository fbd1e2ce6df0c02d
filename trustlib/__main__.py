"""``python -m trustlib`` and the ``trustlib`` command: one entry for both."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command; return its exit code."""
    from trustlib.cli import command

    return command(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
