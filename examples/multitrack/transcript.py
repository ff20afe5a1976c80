"""Transcripts: the words of all tracks in order, in turns of one speaker, and their errors against the known text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from examples.multitrack.recognition import Word

__all__ = ["Turn", "WordErrors", "merge", "word_errors"]

# Seconds of silence after which the same speaker begins another turn.
_PAUSE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says without a longer pause; times in seconds since the beginning of the recording."""

    speaker: str
    start: float
    end: float
    text: str

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return asdict(self)


def merge(words: Mapping[str, Sequence[Word]]) -> list[Turn]:
    """The words of each speaker as turns, in the order in which these begin."""
    turns = [turn for speaker, spoken in words.items() for turn in _turns(speaker, spoken)]
    return sorted(turns, key=lambda turn: (turn.start, turn.speaker))


def _turns(speaker: str, words: Sequence[Word]) -> Iterable[Turn]:
    first = 0
    for following in range(1, len(words) + 1):
        if following == len(words) or words[following].start - words[following - 1].end > _PAUSE:
            turn = words[first:following]
            yield Turn(speaker, turn[0].start, turn[-1].end, " ".join(word.text for word in turn))
            first = following


@dataclass(frozen=True, slots=True)
class WordErrors:
    """How many words of a known text a recogniser got wrong."""

    words: int
    substituted: int
    deleted: int
    inserted: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Self:
        """Read what `to_json` has written; no errors in no words for None."""
        counts = value or {}
        return cls(*(int(counts.get(name, 0)) for name in ("words", "substituted", "deleted", "inserted")))

    @property
    def rate(self) -> float:
        """Errors per word of the known text; above 1 if more was heard than was said."""
        errors = self.substituted + self.deleted + self.inserted
        return round(errors / self.words, 4) if self.words else float(errors > 0)

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.words + other.words,
            self.substituted + other.substituted,
            self.deleted + other.deleted,
            self.inserted + other.inserted,
        )

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return {**asdict(self), "rate": self.rate}


def word_errors(known: str, heard: str) -> WordErrors:
    """The fewest substitutions, deletions and insertions that make `heard` of `known`, case and punctuation aside."""
    said, got = (re.findall(r"[a-z']+", text.lower()) for text in (known, heard))
    # The cheapest way to each prefix of `got`: errors, substituted, deleted, inserted.
    row = [(n, 0, 0, n) for n in range(len(got) + 1)]
    for word in said:
        above, row = row, [_longer(row[0], deleted=1)]
        for column, candidate in enumerate(got, 1):
            same = word == candidate
            row.append(
                min(
                    above[column - 1] if same else _longer(above[column - 1], substituted=1),
                    _longer(above[column], deleted=1),
                    _longer(row[-1], inserted=1),
                )
            )
    _, substituted, deleted, inserted = row[-1]
    return WordErrors(len(said), substituted, deleted, inserted)


def _longer(
    way: tuple[int, int, int, int], *, substituted: int = 0, deleted: int = 0, inserted: int = 0
) -> tuple[int, int, int, int]:
    return way[0] + 1, way[1] + substituted, way[2] + deleted, way[3] + inserted
