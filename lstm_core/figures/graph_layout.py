"""Where the nodes of a small directed graph stand, and how its arrows bend. Numbers alone; nothing here draws.

Stress majorisation (Gansner, Koren & North 2005): nodes stand as far apart as there are arrows between them, so that
neighbours are close and the picture is the same at every call.
"""

from __future__ import annotations

import numpy as np

ROUNDS = 200
MIN_GAP = 0.85  # between the middles of two nodes, where joined ones are about 1 apart
CURVE_POINTS = 64  # of one arrow
BENDS = (0.16, 0.3, -0.16, -0.3, 0.45, -0.45)  # of an arrow's length: how far it may leave the straight line
DIRECTIONS = 16  # tried for what may leave a node anywhere
CLEARANCE = 1.25  # times a node's radius: so far an arrow passes other nodes where it can


def layout(n: int, arrows: list[tuple[int, int]], start: int) -> np.ndarray:
    """(n, 2) positions, the start on the left; two joined nodes are about 1 apart, and no two much closer than that.

    arrows: (from, to), in any number; nodes that nothing reaches stand two steps beyond the others.
    """
    distance = _distances(n, arrows)
    depth = distance[start]
    order = np.argsort(depth, kind="stable")
    rank = np.empty(n)
    rank[order] = np.arange(n)
    angles = rank * 2.4  # the golden angle in radians: no two nodes begin in one place, none along one line
    places = np.stack([depth + 0.3 * np.cos(angles), (0.5 + 0.2 * depth) * np.sin(angles)], axis=1)
    weights = np.where(distance > 0, 1 / np.maximum(distance, 1) ** 2, 0.0)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.pinv(laplacian)
    for _ in range(ROUNDS):
        gaps = places[:, None] - places[None]
        lengths = np.maximum(np.linalg.norm(gaps, axis=2), 1e-9)
        pull = weights * distance / lengths
        places = inverse @ (np.diag(pull.sum(axis=1)) - pull) @ places
    return _with_start_left(_spread(places), start)


def _spread(places: np.ndarray) -> np.ndarray:
    """Pairs that stand too close pushed apart, until none does or it has taken long enough."""
    for _ in range(ROUNDS):
        gaps = places[:, None] - places[None]
        lengths = np.linalg.norm(gaps, axis=2)
        too_close = (lengths < MIN_GAP) & ~np.eye(len(places), dtype=bool)
        if not too_close.any():
            break
        push = np.where(too_close, (MIN_GAP - lengths) / np.maximum(lengths, 1e-9), 0.0)
        places = places + 0.3 * (push[:, :, None] * gaps).sum(axis=1)
    return places


def bent(places: np.ndarray, tail: int, tip: int, radius: float, least: float = 0.0) -> np.ndarray:
    """(points, 2): an arrow from one node's edge to another's, bent as little as it takes to pass the other nodes.

    least: of its length, how far it leaves the straight line at least; a positive bend is to the left of its way, so
    that two arrows that run to and fro never meet.
    """
    others = np.delete(places, [tail, tip], axis=0)
    best, least_hits = None, np.inf
    for bend in BENDS:
        if abs(bend) < least:
            continue
        curve = _curve(places[tail], places[tip], radius, bend)
        near = np.linalg.norm(curve[:, None] - others, axis=2) < CLEARANCE * radius
        if (hits := near.any(axis=0).sum()) < least_hits:
            best, least_hits = curve, hits
    return best


def _curve(tail: np.ndarray, tip: np.ndarray, radius: float, bend: float) -> np.ndarray:
    gap = tip - tail
    control = (tail + tip) / 2 + 2 * bend * np.array([-gap[1], gap[0]])
    t = np.linspace(0, 1, CURVE_POINTS)[:, None]
    curve = (1 - t) ** 2 * tail + 2 * t * (1 - t) * control + t**2 * tip
    outside = (np.linalg.norm(curve - tail, axis=1) >= radius) & (np.linalg.norm(curve - tip, axis=1) >= radius)
    return curve[outside] if outside.sum() > 1 else curve[[0, -1]]


def looped(node: np.ndarray, away: np.ndarray, radius: float) -> np.ndarray:
    """(points, 2): an arrow from a node back to itself, on the side that the unit vector `away` points to."""
    side = np.array([-away[1], away[0]])
    middle = node + 1.55 * radius * away
    angles = np.linspace(-2.3, 2.3, CURVE_POINTS)[:, None]
    return middle + 0.85 * radius * (np.cos(angles) * away + np.sin(angles) * side)


def free_direction(obstacles: np.ndarray, node: np.ndarray, reach: float) -> np.ndarray:
    """The unit vector along which a point at this reach from a node keeps the farthest from all obstacles (n, 2)."""
    angles = np.pi / 2 - 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS  # upwards first
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    room = np.linalg.norm((node + reach * ways)[:, None] - obstacles, axis=2).min(axis=1, initial=np.inf)
    return ways[int(room.round(6).argmax())]


def _distances(n: int, arrows: list[tuple[int, int]]) -> np.ndarray:
    """(n, n) steps between nodes, whichever way the arrows point; what is not joined is two steps beyond the rest."""
    steps = np.full((n, n), np.inf)
    np.fill_diagonal(steps, 0)
    for a, b in arrows:
        if a != b:
            steps[a, b] = steps[b, a] = 1
    for middle in range(n):
        steps = np.minimum(steps, steps[:, middle, None] + steps[middle])
    farthest = steps[np.isfinite(steps)].max()
    return np.where(np.isfinite(steps), steps, farthest + 2)


def _with_start_left(places: np.ndarray, start: int) -> np.ndarray:
    """Turned so that the longest side lies across, with the start in its left half."""
    places = places - places.mean(axis=0)
    _, axes = np.linalg.eigh(places.T @ places)
    places = places @ axes[:, ::-1]
    places *= np.where(places[start] > 0, -1.0, 1.0)
    return places
