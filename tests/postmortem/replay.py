"""A replay of alerts in plain Python, bucket by bucket: what the fast one is held against."""

from datetime import UTC, timedelta
from math import exp, sqrt
from zoneinfo import ZoneInfo


def _mean(values):
    return sum(values) / len(values)


def replay(buckets, *, bucket, timezone, incident, excluded, begins, impact, sign, kind, value):
    """Replay one rule.

    buckets: [(start, count or None)], ascending, all of them; incident: (start, end); excluded:
    [(start, end)]; begins: first instant of the history or None. Returns alarms that began (list
    of starts), the false ones, quiet weeks watched, and when it fired in the incident (or None).
    """
    zone = ZoneInfo(timezone)
    nominal = {"30min": 0.5, "1h": 1.0, "1d": 24.0}[bucket]
    a_week = round(168 / nominal)
    first, last = min(impact, incident[0]), incident[1]
    labels, hours, counts, quiet = [], [], [], []
    for start, count in buckets:
        local = start.astimezone(zone).replace(tzinfo=None)
        if bucket == "1d":
            label = local.date()
            tomorrow = (local + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)
            hours.append((tomorrow - start).total_seconds() / 3600)
        else:
            label = local
            hours.append(nominal)
        labels.append(label)
        known = begins is None or start >= begins
        counts.append(count if known else None)
        end = start + timedelta(hours=nominal)
        out = any(start < b and end > a for a, b in excluded)
        quiet.append(known and not out and not first <= start < last)

    by_label = {}
    for label, count, length, calm in zip(labels, counts, hours, quiet, strict=True):
        if calm and count is not None:
            by_label.setdefault(label, []).append(count / (length / nominal))
    reference = []
    for label, length in zip(labels, hours, strict=True):
        weeks = [by_label.get(label - timedelta(days=7 * k)) for k in (1, 2, 3, 4)]
        weeks = [_mean(one) for one in weeks if one]
        reference.append(_mean(weeks) * length / nominal if len(weeks) >= 2 else None)

    squares = [
        (count - mean) ** 2 / max(mean, 1.0) if calm and None not in (count, mean) else None
        for count, mean, calm in zip(counts, reference, quiet, strict=True)
    ]
    fired, judged, total = [], [], 0.0
    for i, (count, mean) in enumerate(zip(counts, reference, strict=True)):
        compared = count is not None and mean is not None
        fire, sees = False, compared
        if kind == "threshold":
            fire = count is not None and (count >= value if sign > 0 else count <= value)
        elif kind == "rate_of_change" and compared:
            if mean > 0:
                fire = count / mean >= value if sign > 0 else count / mean <= value
            elif count > 0:
                fire = sign > 0
        elif kind == "poisson" and compared:
            fire = _tail(count, mean, sign) <= 1 - value + 1e-12
        elif kind == "cusum":
            past = [one for one in squares[max(0, i - 4 * a_week) : i] if one is not None]
            sees = compared and len(past) >= a_week / 4
            if sees:
                spread = sqrt(max(mean, 1.0) * max(1.0, _mean(past)))
                total = max(0.0, total + sign * (count - mean) / spread - 0.5)
                if total >= value:
                    fire, total = True, 0.0
        fired.append(fire)
        judged.append(sees and quiet[i])

    began, burst, last_fire, part = [], None, None, 0
    for i in range(len(buckets)):
        if not fired[i]:
            continue
        if last_fire is None or (i - last_fire - 1) * nominal >= 6:
            burst, part = i, 0
            began.append(i)
        elif int((i - burst) * nominal / 24) > part:
            part = int((i - burst) * nominal / 24)
            began.append(i)
        last_fire = i
    false = [i for i in began if judged[i]]
    fired_at = None
    for i, (start, _) in enumerate(buckets):
        if fired[i] and impact <= start < incident[1]:
            fired_at = start + timedelta(hours=hours[i])
            break
    weeks = sum(length / nominal for length, sees in zip(hours, judged, strict=True) if sees)
    return [buckets[i][0] for i in began], len(false), weeks / a_week, fired_at


def _tail(count, mean, sign):
    """P(X ≥ count), or P(X ≤ count), of a Poisson X."""
    below, term, k = 0.0, exp(-mean), 0
    while k < count:
        below += term
        k += 1
        term *= mean / k
    return 1 - below if sign > 0 else below + term
