"""The taxonomy from plain values: what is frozen, what is weighed, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from trustlib.core import Refusal
from trustlib.harm.taxonomy import taxonomy

PLAIN = {
    "unit": "harm points",
    "harms": [
        {"name": "spam", "policies": ["bulk", "bait"], "severity": 1},
        {"name": "scam", "policies": ["fake_shop"], "severity": 20.5, "counted_in": "views"},
        {"name": "theft", "policies": ["takeover"], "counted_in": "usd"},
    ],
}


def test_values_are_frozen_and_found():
    found = taxonomy(PLAIN)
    assert found.policies == ("bulk", "bait", "fake_shop", "takeover")
    assert found.harm_of("bait").name == "spam"
    assert found.harm_of("takeover").severity == 1
    assert found.weights(["fake_shop", "bulk"]).tolist() == [20.5, 1]
    with pytest.raises(AttributeError):
        found.unit = "x"


def test_worth_is_severity_times_the_unit():
    found = taxonomy(PLAIN)
    worth = found.worth(
        ["bulk", "fake_shop", "takeover"], {"views": [9, 10, 11], "usd": np.array([1.0, 2, 3])}
    )
    assert worth.tolist() == [1, 205, 3]
    with pytest.raises(Refusal, match="counted in usd"):
        found.worth(["takeover"], {"views": [1]})
    with pytest.raises(Refusal, match="belongs to no harm type") as caught:
        found.weights(["fake_shp"])
    assert caught.value.nearest == "fake_shop"


def change(**more):
    return {"unit": "points", "harms": [{"name": "spam", "policies": ["bulk"]} | more]}


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ([], "names and values are needed"),
        ({"unit": "points"}, "harms is missing"),
        ({"unit": " ", "harms": [{}]}, "a text is needed"),
        ({"unit": "points", "harms": []}, "a list of at least one"),
        (change(severty=2), "an unknown name"),
        (change(severity="2"), "severity is a number"),
        (change(severity=True), "severity is a number"),
        (change(severity=0), "above 0"),
        (change(severity=float("nan")), "above 0"),
        (change(counted_in="view"), "counted_in is one of"),
        (change(policies="bulk"), "a list of at least one"),
        (change(policies=[3]), "a text is needed"),
        (change(policies=["bulk", "bulk"]), "policy is given twice"),
        (PLAIN | {"harms": [PLAIN["harms"][0]] * 2}, "harm type is given twice"),
    ],
)
def test_refusals_say_what_and_where(plain, words):
    with pytest.raises(Refusal, match=words) as caught:
        taxonomy(plain)
    assert "taxonomy" in caught.value.where


def test_the_nearest_name_is_offered():
    with pytest.raises(Refusal) as caught:
        taxonomy(change(severty=2))
    assert caught.value.nearest == "severity"
