"""nbval compares the text of every cell.

Figures are compared by the numbers behind them, which their text holds, and results with a
tolerance, in tests/: so the HTML and the results' own type are left out here, and not committed.
"""

from trustlib.core.results import MIME


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):
        collector.skip_compare = (*collector.skip_compare, "text/html", MIME)
