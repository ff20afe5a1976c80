"""Words and their times, by PocketSphinx with the English model that comes with it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pocketsphinx import Decoder, Endpointer, get_model_path
from pocketsphinx.lm import ArpaBoLM

from examples.multitrack.audio import SAMPLE_RATE, read

__all__ = ["Word", "words_of"]

# The recogniser counts in hundredths of a second.
_FRAMES_PER_SECOND: Final = 100
_ALTERNATIVE: Final = re.compile(r"\(\d+\)$")
# Seconds of silence around what is recognised, which the recogniser expects.
_SILENCE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Word:
    """A word that was recognised, with its times in seconds since the beginning of the recording."""

    text: str
    start: float
    end: float

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return asdict(self)


def words_of(path: Path, agenda: str, heard: Callable[[float], None]) -> Iterator[Word]:
    """The words in an audio file.

    Args:
        path: The file.
        agenda: Sentences whose words are expected; empty for the general language model of the package.
        heard: Called with the seconds that were listened to since the last call; raises where the job is to stop.
    """
    decoder = _decoder(agenda)
    endpointer = Endpointer(sample_rate=SAMPLE_RATE)
    speech: list[bytes] = []
    for block in read(path, endpointer.frame_bytes // 2):
        frame = block.tobytes()
        was_speaking = endpointer.in_speech
        found = (
            endpointer.process(frame)
            if len(frame) == endpointer.frame_bytes
            else endpointer.end_stream(frame)
        )
        if found is not None:
            start = endpointer.speech_start
            speech.append(found)
            if not endpointer.in_speech:
                yield from _recognised(decoder, b"".join(speech), start)
                speech.clear()
        elif was_speaking:
            speech.clear()
        heard(len(block) / SAMPLE_RATE)
    if speech:
        yield from _recognised(decoder, b"".join(speech), endpointer.speech_start)


def _recognised(decoder: Decoder, speech: bytes, start: float) -> Iterator[Word]:
    silence = np.zeros(int(_SILENCE * SAMPLE_RATE), np.int16).tobytes()
    decoder.start_utt()
    decoder.process_raw(silence + speech + silence, full_utt=True)
    decoder.end_utt()
    for segment in decoder.seg() or ():
        text = _ALTERNATIVE.sub("", segment.word)
        if text[0] not in "<[":  # silence and noise
            first, last = segment.start_frame, segment.end_frame + 1
            yield Word(text, _seconds(start, first), _seconds(start, last))


def _seconds(start: float, frame: int) -> float:
    return round(max(0.0, start - _SILENCE + frame / _FRAMES_PER_SECOND), 2)


def _decoder(agenda: str) -> Decoder:
    """A recogniser of one's own for each file, since it adapts to the voice that it hears."""
    if not agenda.strip():
        return Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")
    model = Path(get_model_path("en-us"))
    sentences = [" ".join(re.findall(r"[a-z']+", line.lower())) for line in agenda.splitlines()]
    expected = {word for sentence in sentences for word in sentence.split()}
    language = ArpaBoLM(text="\n".join(sentences), add_start=True)
    language.compute()
    with tempfile.TemporaryDirectory() as name, (model / "cmudict-en-us.dict").open() as dictionary:
        directory = Path(name)
        with (directory / "language.lm").open("w") as file:
            language.write(file)
        with (directory / "words.dict").open("w") as file:
            file.writelines(
                line for line in dictionary if _ALTERNATIVE.sub("", line.partition(" ")[0]) in expected
            )
        return Decoder(
            samprate=SAMPLE_RATE,
            loglevel="FATAL",
            hmm=str(model / "en-us"),
            lm=str(directory / "language.lm"),
            dict=str(directory / "words.dict"),
        )
