"""Recordings: a directory with one audio file for each track, and a description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from examples.multitrack.run_files import read_json, write_json

__all__ = ["DESCRIPTION", "Participant", "Recording", "Track"]

DESCRIPTION: Final = "recording.json"
"""Name of the description in the directory of a recording."""


@dataclass(frozen=True, slots=True)
class Track:
    """The sound of one participant.

    Attributes:
        track_id: Its id within the recording.
        file: Name of its file in the directory of the recording.
        offset: Seconds after the beginning of the recording at which the participant came.
        sha256: Of the file, so that its copies can be found even once it is gone.
        reference: What is really said, if it is known, to count the errors of the recogniser.
    """

    track_id: str
    file: str
    offset: float
    sha256: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who speaks, and whether their audio may be kept."""

    name: str
    track_id: str
    consent: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording.

    Attributes:
        recording_id: Its id.
        duration: Seconds from the beginning to the end of the last track.
        tracks: Its tracks.
        participants: Who speaks.
        agenda: What the conversation is about, one sentence a line; the recogniser expects these words. Empty: any.
    """

    recording_id: str
    duration: float
    tracks: tuple[Track, ...]
    participants: tuple[Participant, ...]
    agenda: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` has written.

        Raises:
            ValueError: Something is missing, or there is too much.
        """
        try:
            return cls(
                **{
                    **value,
                    "tracks": tuple(Track(**track) for track in value["tracks"]),
                    "participants": tuple(Participant(**person) for person in value["participants"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"This is not the description of a recording: {error}.") from error

    @classmethod
    def in_directory(cls, directory: Path) -> Self:
        """Read the description of a recording.

        Raises:
            FileNotFoundError: There is none.
            ValueError: It is none.
        """
        value = read_json(directory / DESCRIPTION)
        if not isinstance(value, dict):
            raise FileNotFoundError(f"There is no recording in {directory}.")
        return cls.from_json(value)

    def check_files(self, directory: Path) -> None:
        """Check that the tracks are there, but for those that may not be kept: an earlier run may have deleted them.

        Raises:
            FileNotFoundError: One is not.
        """
        for track in self.tracks:
            if track.track_id not in self.withheld and not (directory / track.file).is_file():
                raise FileNotFoundError(f"The recording in {directory} lacks its track {track.file}.")

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON."""
        return asdict(self)

    def write(self, directory: Path) -> None:
        """Write the description."""
        write_json(directory / DESCRIPTION, self.to_json())

    def speaker_of(self, track_id: str) -> str:
        """The name of the participant of a track; the track's own id if nobody is known."""
        return next((person.name for person in self.participants if person.track_id == track_id), track_id)

    @property
    def withheld(self) -> frozenset[str]:
        """The ids of the tracks that may not be kept: without a participant who has consented to it."""
        kept = {person.track_id for person in self.participants if person.consent}
        refused = {person.track_id for person in self.participants if not person.consent}
        return frozenset(track.track_id for track in self.tracks if track.track_id not in kept - refused)
