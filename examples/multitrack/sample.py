"""A recording to try the pipeline with, spoken by a synthesiser: three people plan a journey."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from examples.multitrack.audio import write
from examples.multitrack.recording import Participant, Recording, Track
from examples.multitrack.run_files import sha256_of
from examples.multitrack.speech import Utterance, Voice, speak

__all__ = ["LONG", "SHORT", "Line", "make_recording"]

Line = tuple[str, float, str]
"""Who says it, seconds since the beginning of the recording, and what they say."""

_VOICES: Final = {
    "Ada": Voice("en-us+f2", 130, 55),
    "Ben": Voice("en-us+klatt2", 130, 45),
    "Cleo": Voice("en-us+f5", 135, 60),
}
_REFUSES: Final = "Cleo"

# Written before the conversation: its words, in other sentences.
_AGENDA: Final = """
plan the journey to the mountains
good morning let us plan
the train leaves the station in the morning
we buy tickets for the train before friday
seats on the train and a place for the bags
how many seats do we need
how many bags do we have
talk about the train
now let us talk about the hotel
the hotel costs more than last year
the hotel is near the lake
the price of the hotel
ask for a better price
ask the hotel about the price
i will write to the hotel today
we should write a letter
we planned the hotel
the mountains are cold in the winter
warm clothes for the snow
take warm boots
there is snow in the mountains
the weather is cold
rain and snow in the weather report
the weather report for the week
one two three four five six seven eight nine ten hundred dollars
"""

LONG: Final[tuple[Line, ...]] = (
    ("Ada", 0.5, "Good morning. Let us plan the journey to the mountains."),
    ("Ben", 5.0, "The train leaves the station at nine in the morning."),
    ("Cleo", 10.0, "How many seats do we need on the train?"),
    ("Ada", 14.0, "We need four seats and a place for the bags."),
    ("Ben", 18.5, "We buy the tickets for the train before Friday."),
    ("Ada", 23.0, "Now let us talk about the hotel near the lake."),
    ("Cleo", 27.5, "The hotel costs more than we planned last year."),
    ("Ben", 32.0, "We should ask the hotel for a better price."),
    ("Ada", 36.5, "I will write to the hotel and ask about the price."),
    ("Cleo", 41.0, "The weather report is cold, with snow in the mountains."),
    ("Ben", 46.0, "We need warm clothes and boots for the snow."),
    ("Ada", 50.5, "There is rain and snow in the weather report."),
)
"""About a minute."""

SHORT: Final[tuple[Line, ...]] = (
    ("Ada", 0.3, "Let us plan the journey to the mountains."),
    ("Ben", 3.6, "The train leaves the station in the morning."),
    ("Cleo", 7.0, "The hotel costs more than last year."),
    ("Ada", 10.2, "I will write to the hotel about the price."),
)
"""About thirteen seconds, for tests."""


def make_recording(directory: Path, lines: tuple[Line, ...] = LONG, *, agenda: str = _AGENDA) -> Recording:
    """Write a recording of what is said; each track begins where its participant comes, a moment before they speak."""
    directory.mkdir(parents=True, exist_ok=True)
    tracks, people, duration = [], [], 0.0
    for name in dict.fromkeys(who for who, _, _ in lines):
        spoken = [(start, text) for who, start, text in lines if who == name]
        offset = round(spoken[0][0] - 0.25, 2)
        samples, rate = speak(_VOICES[name], [Utterance(start - offset, text) for start, text in spoken])
        file = f"{name.lower()}.flac"
        with write(directory / file, rate) as add:
            add(samples)
        duration = max(duration, offset + len(samples) / rate)
        reference = " ".join(text for _, text in spoken)
        tracks.append(Track(name.lower(), file, offset, sha256_of(directory / file), reference))
        people.append(Participant(name, name.lower(), consent=name != _REFUSES))
    recording = Recording(
        directory.name, round(duration + 0.5, 2), tuple(tracks), tuple(people), agenda.strip()
    )
    recording.write(directory)
    return recording
