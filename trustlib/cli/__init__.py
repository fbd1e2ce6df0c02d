"""The command: words in, one call into a room, an exit code out.

Nothing heavy is imported here before a command is chosen: `trustlib --help` answers
while a person is still looking at the keyboard.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trustlib.cli.words import parser
from trustlib.core.errors import TrustlibError


def command(words: Sequence[str]) -> int:
    """Run one command line (without the program's name).

    Returns
    -------
    int
        0 complete, 1 failed, 2 refused, 3 no data; with many files the worst one.
    """
    import trustlib.cli.verbs as verbs

    args = parser().parse_args(list(words))
    try:
        return getattr(verbs, f"{args.verb}_")(args)
    except TrustlibError as error:
        print(f"trustlib: {error.message()}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("trustlib: interrupted", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (head, less) has gone: not our fault, and nothing to print to.
        sys.stderr.close()
        return 0
