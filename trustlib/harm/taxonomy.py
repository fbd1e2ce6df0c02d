"""Harm types, policies, severities and units as data, so that a new area is a file, not code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trustlib.core import Refusal
from trustlib.core.errors import did_you_mean

CountedIn = Literal["items", "views", "accounts", "usd"]
_COUNTED_IN = ("items", "views", "accounts", "usd")


@dataclass(frozen=True, kw_only=True)
class HarmType:
    """One kind of harm.

    Attributes
    ----------
    name
        What a reader calls it.
    policies
        Names of the policies whose labels mean it, at least one.
    severity
        What one of `counted_in` weighs, above 0, in the taxonomy's unit.
    counted_in
        "items", "views", "accounts" or "usd".
    """

    name: str
    policies: tuple[str, ...]
    severity: float = 1.0
    counted_in: CountedIn = "items"


@dataclass(frozen=True, kw_only=True)
class Taxonomy:
    """The harm types of an area, and the unit that their severities are in.

    Made by `taxonomy` from plain values.
    """

    unit: str
    harms: tuple[HarmType, ...]

    @property
    def policies(self) -> tuple[str, ...]:
        """All policies, in the order of the harms."""
        return tuple(policy for harm in self.harms for policy in harm.policies)

    def harm_of(self, policy: str) -> HarmType:
        """The harm type that `policy` belongs to.

        Raises
        ------
        Refusal
            If no harm type has it.
        """
        for harm in self.harms:
            if policy in harm.policies:
                return harm
        raise Refusal(
            "a policy belongs to no harm type",
            where="taxonomy",
            nearest=did_you_mean(policy, self.policies),
            next_step="name it under the policies of one harm type",
        )

    def weights(self, policies: Sequence[str]) -> npt.NDArray[np.float64]:
        """(n,) severity of each of `policies`, in `unit` per item, view, account or dollar.

        Raises
        ------
        Refusal
            If a policy belongs to no harm type.
        """
        return np.array([self.harm_of(policy).severity for policy in policies], dtype=np.float64)

    def worth(
        self, policies: Sequence[str], amounts: Mapping[str, npt.ArrayLike]
    ) -> npt.NDArray[np.float64]:
        """(n,) what each item weighs: severity times 1, its views, its accounts or its dollars.

        Parameters
        ----------
        policies
            (n,) policy of each item.
        amounts
            "views", "accounts", "usd" -> (n,), where a harm type is counted in them.

        Raises
        ------
        Refusal
            If an amount that is needed is missing, or a policy belongs to no harm type.
        """
        known = {name: np.asarray(values, dtype=float) for name, values in amounts.items()}
        found = self.weights(policies)
        units = np.array([self.harm_of(policy).counted_in for policy in policies])
        for unit in sorted(set(units.tolist()) - {"items"}):
            if unit not in known or len(known[unit]) != len(found):
                raise Refusal(
                    f"a harm type is counted in {unit}, and there is no such amount of each item",
                    where="taxonomy",
                    next_step=f"give the {unit} of each item, or count that harm in items",
                )
            found = np.where(units == unit, found * known[unit], found)
        return found


def taxonomy(plain: object) -> Taxonomy:
    """Check plain values, such as a params file holds, and freeze them.

    Parameters
    ----------
    plain
        ``{"unit": "harm points", "harms": [{"name": …, "policies": […], "severity": 1.0,
        "counted_in": "items"}, …]}``; severity and counted_in may be left out.

    Raises
    ------
    Refusal
        On an unknown or missing key, a wrong type, a name or policy given twice, or a severity
        that is not above 0.
    """
    entry = _mapping(plain, "taxonomy", {"unit", "harms"}, {"unit", "harms"})
    unit = _text(entry["unit"], "taxonomy, unit")
    listed = _listed(entry["harms"], "taxonomy, harms")
    harms = tuple(_harm(one, f"taxonomy, harm {at}") for at, one in enumerate(listed, start=1))
    found = Taxonomy(unit=unit, harms=harms)
    _once([harm.name for harm in harms], "harm type")
    _once(list(found.policies), "policy")
    return found


def _harm(plain: object, where: str) -> HarmType:
    names = {field.name for field in fields(HarmType)}
    entry = _mapping(plain, where, names, {"name", "policies"})
    severity = entry.get("severity", 1.0)
    if isinstance(severity, bool) or not isinstance(severity, int | float):
        raise Refusal("severity is a number", where=where, next_step="write it without quotes")
    if not (math.isfinite(severity) and severity > 0):
        raise Refusal("severity is above 0", where=where, next_step="leave out what is no harm")
    counted_in = entry.get("counted_in", "items")
    if counted_in not in _COUNTED_IN:
        raise Refusal(
            f"counted_in is one of {', '.join(_COUNTED_IN)}",
            where=where,
            nearest=did_you_mean(str(counted_in), _COUNTED_IN),
        )
    policies = _listed(entry["policies"], f"{where}, policies")
    return HarmType(
        name=_text(entry["name"], f"{where}, name"),
        policies=tuple(_text(policy, f"{where}, policies") for policy in policies),
        severity=float(severity),
        counted_in=counted_in,
    )


def _mapping(plain: object, where: str, allowed: set[str], needed: set[str]) -> dict[str, Any]:
    if not isinstance(plain, Mapping):
        raise Refusal("names and values are needed", where=where,
                      next_step=f"give {', '.join(sorted(needed))}")  # fmt: skip
    for key in plain:
        if key not in allowed:
            raise Refusal(
                "an unknown name",
                where=where,
                nearest=did_you_mean(str(key), sorted(allowed)),
                next_step=f"the names are {', '.join(sorted(allowed))}",
            )
    for key in sorted(needed - set(plain)):
        raise Refusal(f"{key} is missing", where=where, next_step=f"give {key}")
    return dict(plain)


def _listed(plain: object, where: str) -> list[Any]:
    if not isinstance(plain, list | tuple) or not plain:
        raise Refusal("a list of at least one is needed", where=where)
    return list(plain)


def _text(plain: object, where: str) -> str:
    if not isinstance(plain, str) or not plain.strip():
        raise Refusal("a text is needed", where=where, next_step="write it in quotes")
    return plain


def _once(names: list[str], noun: str) -> None:
    if len(set(names)) < len(names):
        first = next(at for at, name in enumerate(names, start=1) if name in names[: at - 1])
        raise Refusal(f"a {noun} is given twice", where=f"taxonomy, {noun} {first}",
                      next_step="each belongs in one place")  # fmt: skip
