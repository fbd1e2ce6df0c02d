"""Who shares the same things at the same moments, beyond what chance would give.

Each account counts once for a token, at its first share; with `period_seconds`, once in each
period. The null permutes the times of a token among the accounts that shared it: everybody
keeps what they shared, every token keeps its own rise and fall, so a link that goes round the
world in an hour ties nobody. Under it, two accounts stand within Δ at a token with the
probability c / (m (m − 1) / 2), m accounts and c of their pairs within Δ, independently from
token to token. So the chance of a pair's number of close shares is a Poisson-binomial tail, exact;
−log of it is the pair's weight. A ring that makes up much of its tokens raises c, which hides
its pairs one by one but not their triangles: accounts that are tied to both of a pair add to
its evidence (`trustlib.harm.token_pairs.evidence`). The evidence is set against that of worlds
with shuffled times, three times (`trustlib.harm.token_pairs.survivors`).

Blind spot: a token whose every share lies within Δ says nothing, since no order of its times
would look different. Such tokens are counted; what they tie is for shared infrastructure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from trustlib.core import Refusal
from trustlib.harm import token_pairs as tp
from trustlib.harm.shared_infrastructure import enough_draws
from trustlib.harm.token_pairs import FloatArray, IntArray

_CELLS = 4_000_000  # of the table in which tails are worked out at once


@dataclass(frozen=True, kw_only=True, eq=False)
class CoSharing:
    """Pairs of accounts that share at the same moments.

    Attributes
    ----------
    pairs
        actor_a, actor_b (codes, a < b), tokens (in common, that could tell), close (of them
        within Δ), expected (of them, by chance), p_value (exact, of this pair alone),
        evidence, q_value (over all pairs).
    ties
        actor_a, actor_b, token, first_at, last_at (seconds): one row for each close share.
    within_seconds
        Δ.
    tokens, tokens_left_out, tokens_that_cannot_tell
        Tokens (within periods) of two accounts or more; those of more than `most_accounts`;
        those whose every share lies within Δ.
    most_accounts
        The cap that was used; lower than asked for where memory needed it.
    candidate_pairs
        Pairs with at least `fewest_tokens` close shares.
    pairs_set_aside
        Pairs beyond the threshold in groups no larger than shuffles give, or in none.
    shuffled_pairs
        How many pairs the rule keeps in an average shuffle.
    p_value
        Of the finding as a whole: worlds, of `draws` shuffles and the observed one, in which
        the rule keeps at least as many pairs.
    """

    pairs: pd.DataFrame
    ties: pd.DataFrame
    within_seconds: float
    tokens: int
    tokens_left_out: int
    tokens_that_cannot_tell: int
    most_accounts: int
    fewest_tokens: int
    candidate_pairs: int
    pairs_set_aside: int
    shuffled_pairs: float
    p_value: float
    rate: float
    draws: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Shares:
    """First shares, sorted by token and time; codes from 0."""

    actor: IntArray
    token: IntArray
    time: FloatArray
    rows: tuple[IntArray, IntArray]  # positions of every two shares of a token within Δ
    chance: FloatArray  # (n_tokens,) that two of its accounts are within Δ
    actors: IntArray
    names: IntArray  # (n_tokens,) the caller's token codes


def co_sharing(
    events: pd.DataFrame,
    *,
    within_seconds: float = 600.0,
    period_seconds: float | None = None,
    most_accounts: int = 500,
    fewest_tokens: int = 2,
    rate: float = 0.05,
    draws: int = 19,
    seed: int = 0,
) -> CoSharing:
    """Pairs of accounts that share the same tokens within Δ more often than shuffled times give.

    Parameters
    ----------
    events
        actor (code), token (code), time (seconds from any origin): one row for each share.
    within_seconds
        Δ; shares at most this far apart are close.
    period_seconds
        Where given, a token counts anew in every such period and times are shuffled within
        it: for domains that are shared for weeks.
    most_accounts
        Tokens of more accounts are left out, and counted.
    fewest_tokens
        In common before a pair is tested.
    rate
        False-discovery rate of pairs.
    draws
        Shuffles; at least 1 / rate − 1.

    Raises
    ------
    Refusal
        If a column is missing or not what it should be, or the draws cannot reach the rate.
    NoData
        If there are no events.
    """
    tp.columns(events, ("actor", "token", "time"), what="events")
    enough_draws(draws, rate)
    if not within_seconds > 0 or (period_seconds is not None and not period_seconds > 0):
        raise Refusal("within_seconds and period_seconds must be above 0")
    first = _first_shares(events, period_seconds)
    shares, counts, cap = _shares(first, within_seconds, most_accounts)
    held = _held(shares)
    random = np.random.default_rng(seed)
    observed = _close_pairs(shares, shares.actor, held, fewest=fewest_tokens)
    worlds = [(observed["key"].to_numpy(), observed["evidence"].to_numpy())]
    for _ in range(draws):
        actor = shares.actor[tp.shuffled_within(shares.token, random)]
        shuffled = _close_pairs(shares, actor, held, fewest=fewest_tokens)
        worlds.append((shuffled["key"].to_numpy(), shuffled["evidence"].to_numpy()))
    survival = tp.survivors(worlds, n=max(len(shares.actors), 1), rate=rate)
    found = observed.assign(q_value=survival.q_value)[survival.chosen].reset_index(drop=True)
    return CoSharing(
        pairs=_named(found, shares),
        ties=_ties(shares, found["key"].to_numpy()),
        within_seconds=float(within_seconds),
        tokens=counts[0],
        tokens_left_out=counts[1],
        tokens_that_cannot_tell=counts[2],
        most_accounts=cap,
        fewest_tokens=fewest_tokens,
        candidate_pairs=len(observed),
        pairs_set_aside=survival.set_aside,
        shuffled_pairs=survival.shuffled,
        p_value=survival.p_value,
        rate=rate,
        draws=draws,
    )


def _first_shares(events: pd.DataFrame, period: float | None) -> pd.DataFrame:
    """actor, token, time, group (token within period); one row for each account and group."""
    time = pd.to_numeric(events["time"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = ~np.isfinite(time)
    if wrong.any():
        raise Refusal(
            f"events: time is not a number of seconds in {int(wrong.sum()):,} rows",
            where=f"the first is row {int(np.argmax(wrong)) + 1:,}",
        )
    actor = tp.whole(events, "actor", what="events")
    token = tp.whole(events, "token", what="events")
    nth = np.zeros(len(time)) if period is None else np.floor(time / period)
    order = np.lexsort((time, actor, nth, token))
    actor, token, nth, time = actor[order], token[order], nth[order], time[order]
    new_group = np.append(True, (np.diff(token) != 0) | (np.diff(nth) != 0))
    keep = new_group | np.append(True, np.diff(actor) != 0)
    group = np.cumsum(new_group) - 1
    return pd.DataFrame(
        {"actor": actor[keep], "token": token[keep], "time": time[keep], "group": group[keep]}
    )


def _shares(
    first: pd.DataFrame, within: float, cap: int
) -> tuple[_Shares, tuple[int, int, int], int]:
    """Shares of the tokens that can tell; tokens, those left out, those that cannot; the cap."""
    first = first.assign(size=tp.sizes(first["group"].to_numpy(dtype=np.int64)))
    first = first[first["size"] > 1].sort_values(["group", "time", "actor"])
    group, time = _consecutive(first["group"].to_numpy()), first["time"].to_numpy()
    size = first["size"].to_numpy(dtype=np.int64)
    n_tokens = int(group.max(initial=-1)) + 1
    starts = np.flatnonzero(np.append(True, np.diff(group) != 0)) if n_tokens else group
    each = size[starts]
    end = _ends(group, time, within)
    close = np.bincount(group, weights=end - np.arange(len(end)) - 1.0, minlength=n_tokens)
    cap = tp.affordable(each, close, cap=cap)
    chance = close / np.maximum(each * (each - 1.0) / 2, 1)
    # Without a close pair a token still counts among what two accounts have in common.
    tells = (each <= cap) & (chance < 1)
    counts = (n_tokens, int((each > cap).sum()), int(((each <= cap) & (chance >= 1)).sum()))
    rows = tells[group]
    kept = _consecutive(group[rows])
    actors, actor = np.unique(first["actor"].to_numpy(dtype=np.int64)[rows], return_inverse=True)
    shares = _Shares(
        actor=actor.astype(np.int64),
        token=kept,
        time=time[rows],
        rows=tp.followers(_ends(kept, time[rows], within)),
        chance=chance[tells],
        actors=actors,
        names=first["token"].to_numpy(dtype=np.int64)[starts][tells],
    )
    return shares, counts, cap


def _consecutive(group: IntArray) -> IntArray:
    """Sorted codes as 0, 1, 2 …"""
    if not len(group):
        return np.zeros(0, dtype=np.int64)
    return (np.cumsum(np.append(1, np.diff(group) != 0)) - 1).astype(np.int64)


def _ends(group: IntArray, time: FloatArray, within: float) -> IntArray:
    """(n,) the row after the last of the same group at most `within` later."""
    if not len(group):
        return group
    # Groups are set apart on one line of whole ticks, so that one search serves them all; a
    # microsecond is finer than any log's clock.
    ticks = np.round((time - time.min()) * 1e6).astype(np.int64)
    reach = round(within * 1e6)
    span = int(ticks.max()) + reach + 1
    if (int(group[-1]) + 1) * span >= 2**62:
        ticks, reach = ticks // 10**6, reach // 10**6
        span = int(ticks.max()) + reach + 1
    line = group * span + ticks
    return np.searchsorted(line, line + reach, side="right").astype(np.int64)


def _held(shares: _Shares) -> csr_array:
    """(n_actors, n_tokens) 1 where the account shared the token."""
    ones = np.ones(len(shares.actor), dtype=np.int8)
    shape = (len(shares.actors), len(shares.names))
    return csr_array((ones, (shares.actor, shares.token)), shape=shape)


def _close_pairs(shares: _Shares, actor: IntArray, held: csr_array, *, fewest: int) -> pd.DataFrame:
    """key, tokens, close, expected, p_value, evidence of pairs with enough close shares."""
    one, other = shares.rows
    keys = tp.pair_keys(actor[one], actor[other], len(shares.actors))
    key = tp.repeated(keys, least=fewest)
    at = tp.position_in(key, keys)
    close = np.bincount(at[at >= 0], minlength=len(key)).astype(np.int64)
    tokens, expected, p_value = _tails(shares, held, key, close)
    weight = np.round(-np.log(np.maximum(p_value, 1e-300)), 9)
    return pd.DataFrame(
        {
            "key": key,
            "tokens": tokens,
            "close": close,
            "expected": expected,
            "p_value": p_value,
            "evidence": tp.evidence(key, weight, n=max(len(shares.actors), 1)),
        }
    )


def _tails(
    shares: _Shares, held: csr_array, key: IntArray, close: IntArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Tokens in common, close ones expected, and the chance of at least `close` of them."""
    tokens = np.zeros(len(key), dtype=np.int64)
    expected, tail = np.zeros(len(key)), np.ones(len(key))
    n = max(len(shares.actors), 1)
    for start in range(0, len(key), 50_000):
        some = np.arange(start, min(start + 50_000, len(key)))
        both = held[key[some] // n].multiply(held[key[some] % n]).tocsr()
        tokens[some] = np.diff(both.indptr)
        chances = shares.chance[both.indices]
        pair = np.repeat(np.arange(len(some)), tokens[some])
        expected[some] = np.bincount(pair, weights=chances, minlength=len(some))
        tail[some] = _many_tails(both.indptr, chances, close[some])
    return tokens, expected, tail


def _many_tails(starts: IntArray, chances: FloatArray, close: IntArray) -> FloatArray:
    """(n,) P(sum of independent Bernoullis ≥ close), of runs of `chances`, in batches."""
    length = np.diff(starts).astype(np.int64)
    order = np.argsort(length, kind="stable")
    tail = np.ones(len(close))
    done = 0
    while done < len(order):
        # Runs of about one length stand together, so little of the table is padding.
        longest = max(int(length[order[done]]) * 2, 8)
        until = int(np.searchsorted(length[order], longest, side="right"))
        until = min(until, done + max(_CELLS // longest, 1))
        some = order[done:until]
        column = np.arange(int(length[some].max()))
        inside = column < length[some][:, None]
        at = np.minimum(starts[some][:, None] + column, len(chances) - 1)
        # Largest first, so that the sum does not depend on how tokens are numbered.
        table = -np.sort(-np.where(inside, chances[at], 0.0), axis=1)
        tail[some] = poisson_binomial_tail(table, at_least=close[some])
        done = until
    return tail


def poisson_binomial_tail(chances: FloatArray, *, at_least: IntArray) -> FloatArray:
    """P(a sum of independent Bernoullis is at least a number), exactly.

    Parameters
    ----------
    chances
        (n, k) probabilities; 0 fills up.
    at_least
        (n,) the number, for each row.
    """
    most = int(at_least.max(initial=0))
    # Column s holds P(sum = s) for s below `most`; the last one P(sum ≥ most).
    mass = np.zeros((len(chances), most + 1))
    mass[:, 0] = 1.0
    for chance in chances.T[..., None]:
        moved = mass * chance
        mass -= moved
        mass[:, 1:] += moved[:, :-1]
        mass[:, -1:] += moved[:, -1:]
    beyond = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(beyond[np.arange(len(chances)), at_least], 1.0)


def _named(found: pd.DataFrame, shares: _Shares) -> pd.DataFrame:
    n = max(len(shares.actors), 1)
    named = found.drop(columns="key")
    named.insert(0, "actor_a", shares.actors[found["key"].to_numpy() // n])
    named.insert(1, "actor_b", shares.actors[found["key"].to_numpy() % n])
    return named


def _ties(shares: _Shares, key: IntArray) -> pd.DataFrame:
    one, other = shares.rows
    keys = tp.pair_keys(shares.actor[one], shares.actor[other], len(shares.actors))
    rows = tp.position_in(key, keys) >= 0
    one, other, keys = one[rows], other[rows], keys[rows]
    n = max(len(shares.actors), 1)
    frame = pd.DataFrame(
        {
            "actor_a": shares.actors[keys // n],
            "actor_b": shares.actors[keys % n],
            "token": shares.names[shares.token[one]],
            "first_at": shares.time[one],
            "last_at": shares.time[other],
        }
    )
    return frame.sort_values(["actor_a", "actor_b", "first_at", "token"], ignore_index=True)
