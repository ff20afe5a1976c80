"""Topics, title and summary of a transcript, by plain statistics: TextTiling and TF-IDF."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, pstdev
from typing import Any, Final

from examples.multitrack.transcript import Turn

__all__ = ["Topic", "detect_topics", "summary_of", "title_of"]

# Turns on each side of a gap whose words are compared.
_BLOCK: Final = 2
# Words that a title and a topic are named after.
_TITLE_WORDS: Final = 3
_TOPIC_WORDS: Final = 2
# Turns that make a summary.
_SUMMARY_TURNS: Final = 3

_STOP_WORDS: Final = frozenset(
    re.findall(
        r"\w+",
        """a about after again all also am an and any are as ask at be because been before but by can could did do does
    each every few for from get good got had has have he her here him his how i if in into is it its just last let
    like long make many may me more most much must my need no not now of on one or other our out over own place said
    say she should so some such take talk tell than that the their them then there these they this those to today
    tomorrow too two three four five six seven eight nine ten hundred under until up us very want was we were what when
    where which while who why will with would write year you your""",
    )
)


@dataclass(frozen=True, slots=True)
class Topic:
    """Turns that belong together; times in seconds since the beginning of the recording."""

    title: str
    start: float
    end: float
    summary: str

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return asdict(self)


def detect_topics(turns: Sequence[Turn]) -> list[Topic]:
    """Split the turns where the words change most (TextTiling), and name each part after its own words (TF-IDF)."""
    if not turns:
        return []
    bags = [_terms(turn.text) for turn in turns]
    bounds = [0, *_boundaries(bags), len(turns)]
    parts = [slice(first, last) for first, last in itertools.pairwise(bounds)]
    wholes = [sum(bags[part], Counter()) for part in parts]
    topics = []
    for part, whole in zip(parts, wholes, strict=True):
        inside, weights = turns[part], _weights(whole, wholes)
        title = _headline(_heaviest(weights, _TOPIC_WORDS)) or inside[0].text.capitalize()
        topics.append(Topic(title, inside[0].start, inside[-1].end, _best_turn(inside, weights).text))
    return topics


def title_of(turns: Sequence[Turn]) -> str:
    """The most frequent words of the whole conversation, as a headline."""
    whole = sum((_terms(turn.text) for turn in turns), Counter[str]())
    return _headline(_heaviest(dict(whole), _TITLE_WORDS)) or "Untitled"


def summary_of(turns: Sequence[Turn]) -> str:
    """The turns with the most important words, in the order in which they were said."""
    bags = [_terms(turn.text) for turn in turns]
    weights = _weights(sum(bags, Counter()), bags)
    ranked = sorted(range(len(turns)), key=lambda n: (-_score(bags[n], weights), n))
    return " ".join(f"{turns[n].text.capitalize()}." for n in sorted(ranked[:_SUMMARY_TURNS]))


def _boundaries(bags: Sequence[Counter[str]]) -> list[int]:
    """The gaps between turns that are deeper than most: less alike on both sides than their surroundings."""
    gaps = range(1, len(bags))
    alike = [
        _cosine(sum(bags[max(0, gap - _BLOCK) : gap], Counter()), sum(bags[gap : gap + _BLOCK], Counter()))
        for gap in gaps
    ]
    depths = [
        max(alike[: n + 1]) - alike[n] + max(alike[n:]) - alike[n] if alike else 0.0
        for n in range(len(alike))
    ]
    if not depths:
        return []
    limit = fmean(depths) + pstdev(depths) / 2
    bounds: list[int] = []
    for n in sorted(range(len(depths)), key=lambda n: (-depths[n], n)):
        if depths[n] > limit and all(abs(gaps[n] - bound) >= _BLOCK for bound in bounds):
            bounds.append(gaps[n])
    return sorted(bounds)


def _terms(text: str) -> Counter[str]:
    """The words that carry meaning, singular and plural as one."""
    words = (
        word for word in re.findall(r"[a-z']+", text.lower()) if word not in _STOP_WORDS and len(word) > 2
    )
    return Counter(word[:-1] if word.endswith("s") and not word.endswith("ss") else word for word in words)


def _weights(bag: Counter[str], bags: Sequence[Counter[str]]) -> dict[str, float]:
    """Frequency of each term in one part, times how rare it is among all parts."""
    return {
        term: count * math.log((1 + len(bags)) / (0.5 + sum(term in other for other in bags)))
        for term, count in bag.items()
    }


def _heaviest(weights: dict[str, Any], count: int) -> list[str]:
    return sorted(weights, key=lambda term: (-weights[term], term))[:count]


def _score(bag: Counter[str], weights: dict[str, float]) -> float:
    return sum(weights.get(term, 0.0) for term in bag) / math.sqrt(1 + bag.total())


def _best_turn(turns: Sequence[Turn], weights: dict[str, float]) -> Turn:
    return max(turns, key=lambda turn: (_score(_terms(turn.text), weights), -turn.start))


def _cosine(left: Counter[str], right: Counter[str]) -> float:
    norm = math.sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values()))
    return sum(count * right[term] for term, count in left.items()) / norm if norm else 0.0


def _headline(terms: Sequence[str]) -> str:
    if len(terms) < 2:
        return "".join(terms).capitalize()
    return f"{', '.join(terms[:-1])} and {terms[-1]}".capitalize()
