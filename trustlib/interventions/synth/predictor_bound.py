"""The least that any choice of V can reach, by branch and bound over donors and signs.

Donor weights w are optimal under some V exactly if a plane, with a normal u whose entries have the
signs of what the predictors miss (z = w'X, so that V = u / z), touches the donors' hull where w
has weight. Each node leaves donors out, or fixes the side on which a predictor is missed; its
bound is the least that the outcome can be missed under that alone. Where a set of donors has no
such plane, one of them is without weight: a branch for each.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog, nnls

from trustlib.interventions.panel import FloatArray, IntArray
from trustlib.interventions.synth.predictor_program import Program
from trustlib.stats.simplex import simplex_least_squares

_MET = 1e-6  # standard deviations by which a predictor counts as missed
_BETTER = 1e-4  # relative: what is worth a branch
_RIDGE = 3e-5
_NEAR = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)  # standard deviations that stand for "matched exactly"
_FAR = 1e4
_IMPOSSIBLE = 1e-10
_Signs = tuple[int, ...]
_Node = tuple[float, int, frozenset[int], _Signs, FloatArray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Bound:
    """Attributes
    ----------
    weights, normal
        (n_donors,) the best weights found that some V has, and (k,) their plane's normal; None
        where none was found below what was given.
    value
        Mean squared gap of `weights`, in the program's unit; what was given without.
    lower
        No V reaches less than this.
    nodes
        Looked at.
    """

    weights: FloatArray | None
    normal: FloatArray | None
    value: float
    lower: float
    nodes: int

    @property
    def proven(self) -> bool:
        """No V reaches less than `value`, up to one part in ten thousand."""
        return self.lower >= self.value * (1 - 2 * _BETTER)


def bounded(program: Program, *, known: float, nodes: int) -> Bound:
    """Look at up to `nodes` nodes for something less than `known`, best bound first."""
    tree = _Tree(program=program, value=known)
    root = tree.grow(frozenset(), (0,) * program.predictors.shape[1], None)
    tree.heap.extend([root] if root is not None else [])
    seen = 0
    while tree.heap and seen < nodes and tree.worthwhile(tree.heap[0]):
        for branch in tree.visit(heapq.heappop(tree.heap)):
            heapq.heappush(tree.heap, branch)
        seen += 1
    lower = min(tree.heap[0][0] if tree.heap else np.inf, tree.value)
    if np.isinf(lower):  # nothing was found at all: not a proof
        lower = root[0] if root is not None else 0.0
    return Bound(
        weights=tree.weights, normal=tree.normal, value=tree.value, lower=lower, nodes=seen
    )


@dataclass(kw_only=True, eq=False)
class _Tree:
    program: Program
    value: float
    weights: FloatArray | None = None
    normal: FloatArray | None = None
    heap: list[_Node] = field(default_factory=list)
    made: set[tuple[frozenset[int], _Signs]] = field(default_factory=set)
    contrary: list[tuple[frozenset[int], _Signs, IntArray]] = field(default_factory=list)

    def grow(
        self, without: frozenset[int], signs: _Signs, start: FloatArray | None
    ) -> _Node | None:
        if (without, signs) in self.made or len(without) == len(self.program.predictors):
            return None
        self.made.add((without, signs))
        weights = least_missed(self.program, without, np.array(signs), start=start)
        if weights is None:
            return None
        node = (self.program.miss(weights), len(self.made), without, signs, weights)
        return node if self.worthwhile(node) else None

    def worthwhile(self, node: _Node) -> bool:
        return node[0] < self.value * (1 - _BETTER)

    def known_contrary(self, support: IntArray, signs: _Signs) -> IntArray | None:
        """Donors of which it was seen before that no plane touches them together."""
        held = set(support.tolist())
        for donors, under, few in self.contrary:
            if donors <= held and all(
                old in (0, new) for old, new in zip(under, signs, strict=True)
            ):
                return few
        return None

    def visit(self, node: _Node) -> list[_Node]:
        """The node's branches; none where it is solved."""
        value, _, without, signs, weights = node
        predictors = self.program.predictors
        support = np.flatnonzero(weights > 0)
        fitted = weights @ predictors
        fixed = np.array(signs)
        missed = (np.abs(fitted) > _MET) & (fixed == 0)
        own = np.where(missed, np.sign(fitted), fixed)
        few = self.known_contrary(support, signs)
        if few is None:
            normal, _ = touching(predictors, support, own)
            if normal is not None:
                self.value, self.weights, self.normal = value, weights, normal
                return []
            normal, some = touching(predictors, support, fixed)
            if normal is None:
                # What is left is best heavy: doing without it costs most.
                light = some[np.argsort(weights[some], kind="stable")]
                few = _contrary(predictors, light, fixed)
                self.contrary.append((frozenset(few.tolist()), signs, few))
        if few is not None:
            made = [self.grow(without | {int(donor)}, signs, weights) for donor in few]
            return [branch for branch in made if branch is not None]
        assert normal is not None
        against = np.where(missed, normal * fitted, 0.0)
        worst = int(np.argmin(against))
        made = [
            self.grow(without, (*signs[:worst], sign, *signs[worst + 1 :]), weights)
            for sign in (1, -1)
        ]
        return [branch for branch in made if branch is not None]


def touching(
    predictors: FloatArray, support: IntArray, signs: np.ndarray
) -> tuple[FloatArray | None, IntArray]:
    """(k,) the shortest u with x'u = 1 for the donors `support`, at least 1 for all others, and
    of the `signs` (0: free); None where there is none, and then some of `support` that no such
    plane touches together."""
    n, k = predictors.shape
    decided = np.flatnonzero(signs)
    sided = np.zeros((len(decided), k + 1))
    sided[np.arange(len(decided)), decided] = signs[decided]
    above = np.column_stack([predictors, np.ones(n)])
    found, multipliers = _shortest(np.vstack([above, -above[support], sided]).T)
    if found is not None:
        return found, support[:0]
    # Those whose "at most 1" the proof of impossibility makes use of (Farkas' lemma).
    return None, support[multipliers[n : n + len(support)] > 0]


def _shortest(system: FloatArray) -> tuple[FloatArray | None, FloatArray]:
    """The shortest u with G u ≥ h, from the columns (G, h)', and each condition's multiplier
    (Lawson and Hanson 1974, LDP)."""
    system = system / np.linalg.norm(system, axis=0)
    target = np.zeros(len(system))
    target[-1] = 1.0
    found = nnls(system, target, maxiter=50 * system.shape[1])[0]
    rest = system @ found - target
    if -rest[-1] < _IMPOSSIBLE:
        return None, found
    return np.asarray(-rest[:-1] / rest[-1]), found


def realised(program: Program, weights: FloatArray, normal: FloatArray) -> list[FloatArray]:
    """(k,) each: V, not scaled, under which about `weights` are optimal.

    A predictor that is matched exactly needs a V beyond all others: several, ever larger.
    """
    fitted = weights @ program.predictors
    matched = np.abs(fitted) <= _MET
    inner = _innermost(program.predictors, weights > 0, fitted)
    away = normal if inner is None else inner
    plain = np.maximum(away / np.where(matched, 1.0, fitted), 0.0)
    return [np.where(matched, np.abs(away) / near, plain) for near in _NEAR]


def _innermost(
    predictors: FloatArray, support: np.ndarray, fitted: FloatArray
) -> FloatArray | None:
    """(k,) of the normals of planes that touch at `support`, and have the signs of `fitted`, one
    that is far from any other donor: a small change of V changes no support."""
    k = predictors.shape[1]
    missed = np.flatnonzero(np.abs(fitted) > _MET)
    signs = np.zeros((len(missed), k))
    signs[np.arange(len(missed)), missed] = -fitted[missed]
    rows = np.vstack([-predictors[~support], signs])
    found = linprog(
        np.append(np.zeros(k), -1.0),
        A_ub=np.column_stack([rows, np.ones(len(rows))]),
        b_ub=np.append(-np.ones(int((~support).sum())), np.zeros(len(missed))),
        A_eq=np.column_stack([predictors[support], np.zeros(int(support.sum()))]),
        b_eq=np.ones(int(support.sum())),
        bounds=[(-_FAR, _FAR)] * k + [(0.0, 1.0)],
        method="highs",
    )
    return np.asarray(found.x[:-1]) if found.status == 0 else None


def _contrary(predictors: FloatArray, donors: IntArray, signs: np.ndarray) -> IntArray:
    """Some of `donors` that no plane touches together, as few as leaving out one by one gives:
    the first ones are let go first."""
    few = donors
    for donor in donors:
        rest = few[few != donor]
        if len(rest) and touching(predictors, rest, signs)[0] is None:
            few = rest
    return few


def least_missed(
    program: Program, without: frozenset[int], signs: np.ndarray, *, start: FloatArray | None
) -> FloatArray | None:
    """(n_donors,) the mix that misses the outcome least without some donors, each predictor
    missed on the side that `signs` says (0: either); None where there is none."""
    used = np.setdiff1d(np.arange(len(program.outcomes)), list(without)).astype(np.int64)
    paths, predictors = program.outcomes[used], program.predictors[used]
    warm = None if start is None or not start[used].any() else start[used]
    found = simplex_least_squares(paths.T, np.zeros(paths.shape[1]), start=warm).weights
    decided = np.flatnonzero(signs)
    sided = predictors[:, decided] * signs[decided]
    if (found @ sided < -_MET).any():
        constrained = _constrained(paths, sided)
        if constrained is None:
            return None
        found = constrained
    weights = np.zeros(len(program.outcomes))
    weights[used] = found
    return weights


def _constrained(paths: FloatArray, sided: FloatArray) -> FloatArray | None:
    """(n,) weights on the simplex with w'sided ≥ 0 that make w'paths shortest."""
    n, m = paths.shape
    if n == 1:
        return None
    # Over the last n − 1 weights; the first is what is left.
    down = np.vstack([-np.ones(n - 1), np.eye(n - 1)])
    first = np.eye(n)[0]
    columns = np.vstack([paths.T / np.sqrt(m), _RIDGE * np.eye(n)])
    q, r = np.linalg.qr(columns @ down)
    centre = -q.T @ (columns @ first)
    sides = np.vstack([np.eye(n), sided.T])
    turned = np.linalg.solve(r.T, (sides @ down).T).T
    asked = -sides @ first - turned @ centre
    step, _ = _shortest(np.column_stack([turned, asked]).T)
    if step is None:
        return None
    weights = first + down @ np.linalg.solve(r, centre + step)
    weights = np.where(weights > 1e-9, weights, 0.0)
    weights = weights / weights.sum()
    return weights if (weights @ sided > -10 * _MET).all() else None
