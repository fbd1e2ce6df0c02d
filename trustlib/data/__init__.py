"""Reading a source: snapshot, counts per bucket, and what was found on the way."""

from trustlib.data.read import read_counts
from trustlib.data.records import Counts, CountsQuery, Snapshot

__all__ = ["Counts", "CountsQuery", "Snapshot", "read_counts"]
