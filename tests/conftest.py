"""For all tests: small matrices, where BLAS threads only get in each other's way."""

import os

# Before anything imports numpy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
