"""What `abuse_deep_dive` is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from trustlib.core.errors import did_you_mean
from trustlib.params.abuse_fields import Harm, Harms, Names, Scores, Segments, one_name
from trustlib.params.abuse_sources import AbuseSources, needs
from trustlib.params.fields import Instant, Text, fault

if TYPE_CHECKING:
    from trustlib.core import Window
    from trustlib.data.abuse_records import AbuseQuery
    from trustlib.harm.deep_dive.spec import DeepDiveSpec
    from trustlib.harm.taxonomy import Taxonomy

_LABELLED = ("labels_source", "view_labels_source", "gold_source")


class AbuseDeepDiveParams(AbuseSources):
    """How much of an abuse is there, where, who is behind it, and what do controls miss."""

    notebook: ClassVar[str] = "abuse_deep_dive"
    edit_first: ClassVar[tuple[str, ...]] = (
        "area",
        "policy",
        "accounts_source",
        "views_source",
        "scores_source",
        "labels_source",
        "actions_source",
        "segments",
    )

    window_start: Annotated[
        Instant,
        Field(
            description="First instant of what is sized, with its offset.",
            examples=["2026-03-02T00:00:00+00:00"],
        ),
    ]
    window_end: Annotated[
        Instant,
        Field(
            description="First instant after it (the window is half-open), with its offset.",
            examples=["2026-03-30T00:00:00+00:00"],
        ),
    ]
    history_start: Annotated[
        Instant | None,
        Field(
            description="Where the weeks of the trend begin; at most window_start. null: "
            "window_start.",
            examples=["2026-02-02T00:00:00+00:00"],
        ),
    ] = None
    compare_from: Annotated[
        Instant | None,
        Field(
            description="Within the window: what comes from here on is compared with what comes "
            "earlier. null: the middle of the window, a whole number of hours after its start.",
            examples=["2026-03-16T00:00:00+00:00"],
        ),
    ] = None
    area: Annotated[
        Text,
        Field(max_length=40, description="What the abuse is called.", examples=["scam"]),
        AfterValidator(one_name),
    ] = "abuse"
    policy: Annotated[
        Annotated[Text, Field(max_length=80), AfterValidator(one_name)] | None,
        Field(
            description="Labels of this policy only, as labels write it. null: all labels.",
            examples=["scam"],
        ),
    ] = None
    segments: Annotated[
        Segments,
        Field(
            description="Columns of items or accounts by which to count; their values are shown. "
            "[]: none.",
            examples=[["market", "kind"]],
        ),
    ] = ()
    control_sources: Annotated[
        Names,
        Field(
            description="Values of source in actions that are today's controls of this abuse. "
            "[]: all.",
            examples=[["scam_rule", "scam_model", "scam_review"]],
        ),
    ] = ()
    confirming_sources: Annotated[
        Names,
        Field(
            description="Values of source in actions that confirm that an item violates, such as "
            "a person's review. []: labels alone do.",
            examples=[["scam_review"]],
        ),
    ] = ()
    report_reasons: Annotated[
        Names,
        Field(
            description="Values of reason in reports that mean this abuse. []: all.",
            examples=[["scam"]],
        ),
    ] = ()
    harms: Annotated[
        Harms,
        Field(
            description="Harm types, each as {name: investment scam, policies: [scam_investment], "
            "severity: 3, counted_in: views}. Without severity: 1; counted_in is items (the "
            "default) or views. []: every violating item weighs 1.",
            examples=[
                [{"name": "investment scam", "policies": ["scam_investment"], "severity": 3.0}]
            ],
        ),
    ] = ()
    harm_unit: Annotated[
        Text, Field(max_length=40, description="What severities are in, in the plural.")
    ] = "harm points"
    thresholds: Annotated[
        Scores,
        Field(
            description="Scores from which on an action is weighed as an option, ascending. []: "
            "three that the labelled items' scores suggest.",
            examples=[[0.5, 0.7, 0.9]],
        ),
    ] = ()
    view_value_usd: Annotated[
        float | None,
        Field(
            ge=0,
            description="Dollars that a violating view costs. null: unknown.",
            examples=[0.02],
        ),
    ] = None
    item_value_usd: Annotated[
        float | None,
        Field(
            ge=0, description="Dollars that a violating item costs. null: unknown.", examples=[4.2]
        ),
    ] = None

    @field_validator("window_end")
    @classmethod
    def _a_day_or_longer(cls, end: datetime, info: ValidationInfo) -> datetime:
        start, as_of = info.data.get("window_start"), info.data.get("as_of")
        if start is not None and end <= start:
            raise fault(
                "is not after window_start: the window is reversed or empty",
                next_step="swap window_start and window_end, or correct one of them",
            )
        if start is not None and end - start < timedelta(days=1):
            raise fault(
                "is less than a day after window_start: there is no before and now in it",
                next_step="take at least a day, better four weeks",
            )
        if as_of is not None and as_of < end:
            raise fault(
                f"({end.isoformat()}) is after as_of ({as_of.isoformat()}): the window is not over",
                next_step="move as_of to the end of the window or later, set it to null, or end "
                "the window at as_of",
            )
        return end

    @field_validator("history_start")
    @classmethod
    def _history_comes_first(
        cls, history: datetime | None, info: ValidationInfo
    ) -> datetime | None:
        start = info.data.get("window_start")
        if history is not None and start is not None and history > start:
            raise fault(
                "is after window_start: the trend would begin within the window",
                next_step="move it to window_start or earlier, or set it to null",
            )
        return history

    @field_validator("compare_from")
    @classmethod
    def _compared_within(cls, compare: datetime | None, info: ValidationInfo) -> datetime | None:
        start, end = info.data.get("window_start"), info.data.get("window_end")
        if compare is not None and start is not None and compare <= start:
            raise fault(
                "is not after window_start: nothing comes before it",
                next_step="move it into the window, or set it to null for its middle",
            )
        if compare is not None and end is not None and compare >= end:
            raise fault(
                "is not before window_end: nothing comes after it",
                next_step="move it into the window, or set it to null for its middle",
            )
        return compare

    @field_validator("policy")
    @classmethod
    def _policies_are_of_labels(cls, policy: str | None, info: ValidationInfo) -> str | None:
        if policy is None or any(info.data.get(name, "") is not None for name in _LABELLED):
            return policy
        raise fault(
            "is set, and no source of labels is: there is nothing to choose from",
            next_step=f"set one of {', '.join(_LABELLED)}, or set policy to null",
            lacks=_LABELLED,
        )

    @field_validator("control_sources", "confirming_sources")
    @classmethod
    def _controls_act(cls, sources: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return needs(sources, info, "actions_source", "what a control did")

    @field_validator("report_reasons")
    @classmethod
    def _reasons_are_of_reports(
        cls, reasons: tuple[str, ...], info: ValidationInfo
    ) -> tuple[str, ...]:
        return needs(reasons, info, "reports_source", "what was reported")

    @field_validator("harms")
    @classmethod
    def _harms_cover_the_policy(
        cls, harms: tuple[Harm, ...], info: ValidationInfo
    ) -> tuple[Harm, ...]:
        policy = info.data.get("policy")
        known = [name for harm in harms for name in harm.policies]
        if harms and policy is not None and policy not in known:
            raise fault(
                "name no harm type for the policy that is asked about",
                nearest=did_you_mean(policy, known),
                next_step="add it to the policies of one harm type, or set policy to null",
            )
        if any(harm.counted_in == "views" for harm in harms):
            return needs(harms, info, "views_source", "how often an item was seen")
        return harms

    @field_validator("thresholds")
    @classmethod
    def _thresholds_are_of_scores(
        cls, thresholds: tuple[float, ...], info: ValidationInfo
    ) -> tuple[float, ...]:
        return needs(thresholds, info, "scores_source", "which items lie above it")

    def query(self) -> AbuseQuery:
        """What to read, for `trustlib.data.abuse_read.read_abuse`."""
        from trustlib.data.abuse_records import TABLES, AbuseQuery

        given = {role: getattr(self, f"{role}_source") for role in TABLES}
        return AbuseQuery(
            sources={role: source for role, source in given.items() if source is not None},
            connection=self.connection,
            window=self._window,
            history_start=self.history_start or self.window_start,
            compare_from=self._compare_from,
            policy=self.policy,
            segments=self.segments,
            control_sources=self.control_sources,
            confirming_sources=self.confirming_sources,
            report_reasons=self.report_reasons,
            timezone=self.timezone,
            as_of=self.as_of,
        )

    def spec(self) -> DeepDiveSpec:
        """What to find out, by the names of the frames that the reading makes."""
        from trustlib.harm.deep_dive.spec import DeepDiveSpec

        return DeepDiveSpec(
            window=self._window,
            history_start=self.history_start or self.window_start,
            compare_from=self._compare_from,
            area=self.area,
            segments=self.segments,
            taxonomy=self._taxonomy,
            view_value_usd=self.view_value_usd,
            item_value_usd=self.item_value_usd,
            thresholds=self.thresholds,
            timezone=self.timezone,
            level=self.level,
            seed=self.seed,
        )

    @property
    def _window(self) -> Window:
        from trustlib.core import Window

        return Window(start=self.window_start, end=self.window_end)

    @property
    def _compare_from(self) -> datetime:
        if self.compare_from is not None:
            return self.compare_from
        hours = (self.window_end - self.window_start) // timedelta(hours=2)
        return self.window_start + timedelta(hours=hours)

    @property
    def _taxonomy(self) -> Taxonomy | None:
        if not self.harms:
            return None
        from trustlib.harm.taxonomy import taxonomy

        return taxonomy({"unit": self.harm_unit, "harms": [vars(harm) for harm in self.harms]})
