"""placeholder"""

import contextlib


@contextlib.contextmanager
def nursery(jobs_, *, jobs):
    yield None
