"""Sound in blocks of samples, by PyAV: read, write, pad, mix, and the peaks of a waveform."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from examples.multitrack.run_files import replacing

__all__ = ["SAMPLE_RATE", "Samples", "Written", "mix", "pad", "peaks", "read", "seconds_of", "write"]

SAMPLE_RATE: Final = 16_000
"""Samples per second of everything that the pipeline writes: what the recogniser takes."""

_BLOCK: Final = SAMPLE_RATE  # a second

Samples: TypeAlias = NDArray[np.int16]
"""Mono samples of 16 bits."""

Written: TypeAlias = Callable[[float], None]
"""Called after each block with its seconds; raises where the job is to stop."""


def seconds_of(path: Path) -> float:
    """The duration of an audio file."""
    return sum(len(block) for block in read(path)) / SAMPLE_RATE


def read(path: Path, block: int = _BLOCK) -> Iterator[Samples]:
    """The samples of an audio file at `SAMPLE_RATE`, in blocks; all but the last have `block` samples."""
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    pending: list[Samples] = []
    length = 0
    with av.open(str(path)) as container:
        for frame in chain(container.decode(audio=0), (None,)):
            for resampled in resampler.resample(frame):
                pending.append(resampled.to_ndarray()[0].astype(np.int16, copy=False))
                length += resampled.samples
            while length >= block:
                joined = np.concatenate(pending)
                yield joined[:block]
                pending, length = [joined[block:]], length - block
    if length:
        yield np.concatenate(pending)


@contextmanager
def write(path: Path, rate: int = SAMPLE_RATE) -> Iterator[Callable[[Samples], None]]:
    """Write a FLAC file block by block; it gets its name when the block of code is over, or never."""
    with replacing(path) as partial, av.open(str(partial), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        position = 0

        def add(samples: Samples) -> None:
            nonlocal position
            frame = AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
            frame.sample_rate = rate
            frame.time_base = Fraction(1, rate)
            frame.pts = position
            position += len(samples)
            container.mux(stream.encode(frame))

        yield add
        container.mux(stream.encode(None))


def pad(source: Path, target: Path, offset: float, duration: float, written: Written) -> None:
    """Write a track as long as the whole recording: silence before its beginning and after its end."""
    missing = round(duration * SAMPLE_RATE)
    with write(target) as add:
        for block in _and_silence(source, round(offset * SAMPLE_RATE)):
            kept = block[:missing]
            missing -= len(kept)
            if len(kept):
                add(kept)
                written(len(kept) / SAMPLE_RATE)
        while missing > 0:
            silence = np.zeros(min(missing, _BLOCK), np.int16)
            missing -= len(silence)
            add(silence)
            written(len(silence) / SAMPLE_RATE)


def mix(sources: Sequence[Path], target: Path, duration: float, written: Written) -> None:
    """Write the sum of tracks that begin together, clipped where it is too loud; silence without any track."""
    missing = round(duration * SAMPLE_RATE)
    with write(target) as add:
        tracks = [read(source) for source in sources]
        while missing > 0:
            total = np.zeros(min(missing, _BLOCK), np.int32)
            for track in tracks:
                block = next(track, np.zeros(0, np.int16))[: len(total)]
                total[: len(block)] += block
            missing -= len(total)
            add(np.clip(total, -32_768, 32_767).astype(np.int16))
            written(len(total) / SAMPLE_RATE)


def peaks(source: Path, count: int, duration: float, written: Written) -> list[float]:
    """The loudest sample, 0 to 1, of each of `count` equal parts of a file."""
    loudest = [0.0] * count
    total = max(1, round(duration * SAMPLE_RATE))
    position = 0
    for block in read(source):
        parts = (np.arange(position, position + len(block)) * count // total).clip(0, count - 1)
        for part in np.unique(parts):
            peak = float(np.abs(block[parts == part].astype(np.int32)).max()) / 32_768
            loudest[part] = max(loudest[part], round(peak, 4))
        position += len(block)
        written(len(block) / SAMPLE_RATE)
    return loudest


def _and_silence(source: Path, silence: int) -> Iterator[Samples]:
    while silence > 0:
        yield np.zeros(min(silence, _BLOCK), np.int16)
        silence -= _BLOCK
    yield from read(source)
