"""An earlier report of another incident is refused, one of this incident is not."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from tests.postmortem.sized import sized
from trustlib.core import Refusal
from trustlib.postmortem.foreign import refuse_foreign
from trustlib.postmortem.revisions import revision_base

SIZED = sized()


def earlier(**changes: object) -> SimpleNamespace:
    (row,) = revision_base(SIZED, None)
    return SimpleNamespace(estimates={}, series={"revision_base": [row | changes]})


def test_the_same_incident_with_another_window_is_welcome() -> None:
    end = SIZED.spec.incident.end + timedelta(hours=9)
    refuse_foreign(earlier(incident_end=end.isoformat()), SIZED)
    refuse_foreign(None, SIZED)
    refuse_foreign(SimpleNamespace(estimates={}, series={}), SIZED)


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"unit_label": "trips"}, "unit_label differs"), ({"direction": "decrease"}, "direction"),
     ({"incident_start": "2020-01-01T00:00:00+00:00",
       "incident_end": "2020-01-02T00:00:00+00:00"}, "the window differs")],
)  # fmt: skip
def test_another_incident_is_refused(changes, what) -> None:
    with pytest.raises(Refusal, match=what) as caught:
        refuse_foreign(earlier(**changes), SIZED)
    assert caught.value.where == "previous_results"
