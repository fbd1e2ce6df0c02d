"""Who shares devices, addresses, payments, domains or texts beyond what chance would give.

Two accounts are tied by the tokens that they have in common. A token of many accounts says
little: it weighs −log of the chance that a shuffle of the tokens would give it to both,
d_a d_b m (m − 1) / (N (N − 1)), for m accounts of the token, N links of its kind and d the
account's own links of the kind. (Adamic and Adar's 1 / log m orders tokens alike, but lets one
rare token outweigh three that a ring of sixty has in common.) Weights of a pair add up over
its tokens; accounts that are tied to both of a pair add to its evidence
(`trustlib.harm.token_pairs.evidence`).

The null permutes the tokens of each kind among its links: every account keeps its number of
links, every token its number of accounts, and kinds become independent. So a pair with a
single token in common is never evidence (a shuffle makes just as many), two or more are. What
is kept must hold against the shuffles three times (`trustlib.harm.token_pairs.survivors`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustlib.core import Refusal
from trustlib.harm import token_pairs as tp
from trustlib.harm.token_pairs import Array, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedInfrastructure:
    """Pairs of accounts that are tied by tokens.

    Attributes
    ----------
    pairs
        actor_a, actor_b (codes, a < b), tokens (in common), weight, evidence,
        q_value.
    ties
        actor_a, actor_b, kind, token: one row for each token in common of those pairs.
    left_out
        kind, tokens, links: tokens of more than `most_accounts` accounts.
    most_accounts
        The cap that was used; lower than asked for where memory needed it.
    candidate_pairs
        Pairs with at least `fewest_tokens` tokens in common, before the threshold.
    pairs_set_aside
        Pairs beyond the threshold in groups no larger than shuffles give, or in none.
    shuffled_pairs
        How many pairs the rule keeps in an average shuffle.
    threshold
        Evidence from which pairs are kept; None where none are.
    p_value
        Of the finding as a whole: worlds, of `draws` shuffles and the observed one, in which
        the rule keeps at least as many pairs.
    rate
        The false-discovery rate asked for.
    """

    pairs: pd.DataFrame
    ties: pd.DataFrame
    left_out: pd.DataFrame
    most_accounts: int
    fewest_tokens: int
    candidate_pairs: int
    pairs_set_aside: int
    shuffled_pairs: float
    threshold: float | None
    p_value: float
    rate: float
    draws: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Links:
    """Distinct links, sorted by token; codes from 0."""

    actor: IntArray
    token: Array
    kind: Array
    degree: FloatArray  # (n,) links of the row's account within its kind
    log_chance: FloatArray  # (n,) of the row's token, for degrees of 1
    rows: tuple[IntArray, IntArray]  # positions of every two links with the same token
    actors: IntArray
    tokens: pd.DataFrame  # kind, token by token code


def shared_infrastructure(
    links: pd.DataFrame,
    *,
    most_accounts: int = 200,
    fewest_tokens: int = 2,
    rate: float = 0.05,
    draws: int = 99,
    seed: int = 0,
) -> SharedInfrastructure:
    """Pairs of accounts with more tokens in common than shuffled tokens give.

    Parameters
    ----------
    links
        actor (code), kind (name), token (code within its kind); repeated rows count once.
    most_accounts
        Tokens of more accounts are left out, and counted.
    fewest_tokens
        In common before a pair is looked at; at least 2.
    rate
        False-discovery rate of pairs.
    draws
        Shuffles; at least 1 / rate − 1 are needed for anything to be found.

    Raises
    ------
    Refusal
        If a column is missing or not a code, or the draws cannot reach the rate.
    NoData
        If there are no links.
    """
    tp.columns(links, ("actor", "kind", "token"), what="links")
    enough_draws(draws, rate)
    if fewest_tokens < 2:
        raise Refusal("fewest_tokens is below 2: one token in common is never beyond chance")
    distinct = pd.DataFrame(
        {
            "actor": tp.whole(links, "actor", what="links"),
            "kind": links["kind"].astype(str).to_numpy(),
            "token": tp.whole(links, "token", what="links"),
        }
    ).drop_duplicates()
    within, left_out, cap = _capped(distinct, most_accounts)
    coded = _coded(within)
    same = np.arange(len(coded.actor))
    key, weight, tokens = _pair_weights(coded, same, fewest_tokens)
    random = np.random.default_rng(seed)
    n = len(coded.actors)
    observed = tp.evidence(key, weight, n=n)
    worlds = [(key, observed)]
    worlds += [_shuffled(coded, fewest_tokens, random) for _ in range(draws)]
    survival = tp.survivors(worlds, n=n, rate=rate)
    pairs = _pairs(
        coded, key, tokens=tokens, weight=weight, evidence=observed, q_value=survival.q_value
    )
    chosen = survival.chosen
    return SharedInfrastructure(
        pairs=pairs[chosen].reset_index(drop=True),
        ties=_ties(coded, key[chosen]),
        left_out=left_out,
        most_accounts=cap,
        fewest_tokens=fewest_tokens,
        candidate_pairs=len(key),
        pairs_set_aside=survival.set_aside,
        shuffled_pairs=survival.shuffled,
        threshold=survival.threshold,
        p_value=survival.p_value,
        rate=rate,
        draws=draws,
    )


def enough_draws(draws: int, rate: float) -> None:
    """Refuse a rate outside (0, 1), or fewer shuffles than could ever reach it.

    Raises
    ------
    Refusal
        In either case.
    """
    if not 0 < rate < 1:
        raise Refusal(f"the false-discovery rate {rate} is not between 0 and 1")
    if (draws + 1) * rate < 1 - 1e-9:
        raise Refusal(
            f"{draws} shuffles cannot show a rate of {rate}",
            next_step=f"draw at least {int(np.ceil(1 / rate - 1e-9)) - 1}",
        )


def _capped(links: pd.DataFrame, cap: int) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Links of tokens within the cap; what was left out by kind; the cap."""
    size = links.groupby(["kind", "token"])["actor"].transform("size").to_numpy(dtype=np.int64)
    each = size[~links.duplicated(["kind", "token"]).to_numpy()]
    cap = tp.affordable(each, each * (each - 1.0) / 2, cap=cap)
    out = links[size > cap]
    table = out.groupby("kind", as_index=False).agg(
        tokens=("token", "nunique"), links=("actor", "size")
    )
    return links[size <= cap], table, cap


def _coded(links: pd.DataFrame) -> _Links:
    links = links.sort_values(["kind", "token", "actor"], kind="stable")
    token = links.groupby(["kind", "token"], sort=True).ngroup().to_numpy().astype(np.int64)
    kind = links.groupby("kind", sort=True).ngroup().to_numpy().astype(np.int64)
    actors, actor = np.unique(links["actor"].to_numpy(dtype=np.int64), return_inverse=True)
    actor = actor.astype(np.int64)
    held = tp.sizes(token).astype(float)
    total = tp.sizes(kind).astype(float)
    pairs_of_links = np.maximum(total * (total - 1), 1)
    with np.errstate(divide="ignore"):
        log_chance = np.log(held * (held - 1) / pairs_of_links)
    return _Links(
        actor=actor,
        token=token,
        kind=kind,
        degree=_degrees(actor, kind, len(actors)),
        log_chance=log_chance,
        rows=tp.followers(tp.group_ends(token)),
        actors=actors,
        tokens=links[["kind", "token"]].drop_duplicates().reset_index(drop=True),
    )


def _degrees(actor: IntArray, kind: Array, n: int) -> FloatArray:
    _, code = np.unique(kind * n + actor, return_inverse=True)
    return tp.sizes(code.astype(np.int64)).astype(float)


def _pair_weights(
    links: _Links, order: IntArray, fewest: int
) -> tuple[IntArray, FloatArray, IntArray]:
    """Keys, weights and tokens in common of the pairs with at least `fewest`.

    Parameters
    ----------
    order
        (n,) the link whose account stands at each row; tokens stay where they are.
    """
    one, other = links.rows
    n = len(links.actors)
    actor, degree = links.actor[order], links.degree[order]
    keys = tp.pair_keys(actor[one], actor[other], n)
    # A shuffle that could not be rid of all repeats gives an account a token twice: no pair.
    found = tp.repeated(keys[actor[one] != actor[other]], least=fewest)
    at = tp.position_in(found, keys)
    rows = at >= 0
    one, other, at = one[rows], other[rows], at[rows]
    chance = links.log_chance[one] + np.log(degree[one]) + np.log(degree[other])
    twice = _repeats(at, links.token[one])
    surprise = np.where(twice, 0.0, np.maximum(-chance, 0.0))
    weight = np.bincount(at, weights=surprise, minlength=len(found))
    tokens = np.bincount(at[~twice], minlength=len(found))
    enough = tokens >= fewest
    return found[enough], np.round(weight[enough], 9), tokens[enough].astype(np.int64)


def _shuffled(
    links: _Links, fewest: int, random: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Keys and evidence of the pairs of one shuffled world."""
    order = tp.shuffled_within(links.kind, random)
    order = tp.without_repeats(links.actor, links.token, order, kind=links.kind, random=random)
    key, weight, _ = _pair_weights(links, order, fewest)
    return key, tp.evidence(key, weight, n=len(links.actors))


def _repeats(pair: IntArray, token: IntArray) -> np.ndarray:
    """True where the same pair and token stood in an earlier row."""
    return pd.DataFrame({"pair": pair, "token": token}).duplicated().to_numpy()


def _pairs(links: _Links, key: IntArray, **more: np.ndarray) -> pd.DataFrame:
    n = max(len(links.actors), 1)
    ends = {"actor_a": links.actors[key // n], "actor_b": links.actors[key % n]}
    return pd.DataFrame(ends | more)


def _ties(links: _Links, key: IntArray) -> pd.DataFrame:
    one, other = links.rows
    actor, token = links.actor, links.token
    rows = tp.position_in(key, tp.pair_keys(actor[one], actor[other], len(links.actors))) >= 0
    low = np.minimum(actor[one], actor[other])[rows]
    high = np.maximum(actor[one], actor[other])[rows]
    held = links.tokens.iloc[token[one][rows]].reset_index(drop=True)
    frame = pd.DataFrame({"actor_a": links.actors[low], "actor_b": links.actors[high]})
    return pd.concat([frame, held], axis=1).sort_values(
        ["actor_a", "actor_b", "kind", "token"], ignore_index=True
    )
