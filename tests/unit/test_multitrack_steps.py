"""The steps of the multitrack example: sound, words, topics, deletion, delivery."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from examples.multitrack.audio import mix, pad, peaks, read, seconds_of, write
from examples.multitrack.consent import Proof, delete_withheld
from examples.multitrack.delivery import deliver
from examples.multitrack.recognition import Word
from examples.multitrack.recording import Participant, Recording, Track
from examples.multitrack.run_files import replacing
from examples.multitrack.topics import detect_topics, summary_of, title_of
from examples.multitrack.transcript import Turn, WordErrors, merge, word_errors


def _sound(path: Path, *levels: int, rate: int = 16_000) -> Path:
    """A file with a second of each level."""
    with write(path, rate) as add:
        for level in levels:
            add(np.full(rate, level, np.int16))
    return path


def _ignored(seconds: float) -> None:
    """What nobody counts."""


def _failing(seconds: float) -> None:
    raise ZeroDivisionError(seconds)


def test_padding_puts_silence_around_a_track(tmp_path: Path) -> None:
    """A track has its offset before it, and is as long as the recording; what is longer is cut off."""
    source = _sound(tmp_path / "a.flac", 1000, 2000)
    counted: list[float] = []

    pad(source, tmp_path / "b.flac", 1.5, 5.25, counted.append)
    pad(source, tmp_path / "c.flac", 0.0, 1.25, _ignored)

    samples = np.concatenate(list(read(tmp_path / "b.flac")))
    expected = np.concatenate(
        [np.full(int(s * 16_000), v, np.int16) for s, v in ((1.5, 0), (1, 1000), (1, 2000), (1.75, 0))]
    )
    assert np.array_equal(samples, expected)
    assert sum(counted) == pytest.approx(5.25)
    assert seconds_of(tmp_path / "c.flac") == 1.25


def test_a_mix_is_a_clipped_sum_and_its_peaks_are_those_of_equal_parts(tmp_path: Path) -> None:
    """Tracks may have different lengths, and there may be none."""
    tracks = [
        _sound(tmp_path / "a.flac", 30_000, -30_000, 0, 0),
        _sound(tmp_path / "b.flac", 30_000, -30_000, 8192),
    ]

    mix(tracks, tmp_path / "mix.flac", 4.0, _ignored)
    mix([], tmp_path / "silence.flac", 2.0, _ignored)

    samples = np.concatenate(list(read(tmp_path / "mix.flac")))
    assert samples[::16_000].tolist() == [32_767, -32_768, 8192, 0]
    assert peaks(tmp_path / "mix.flac", 4, 4.0, _ignored) == [1.0, 1.0, 0.25, 0.0]
    assert peaks(tmp_path / "mix.flac", 2, 4.0, _ignored) == [1.0, 0.25]
    assert peaks(tmp_path / "silence.flac", 3, 2.0, _ignored) == [0.0, 0.0, 0.0]


def test_another_sample_rate_keeps_the_duration(tmp_path: Path) -> None:
    """What is read has always the rate of the recogniser."""
    assert seconds_of(_sound(tmp_path / "a.flac", 500, 500, rate=22_050)) == pytest.approx(2.0, abs=0.001)


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    """An error on the way leaves the file before it, and nothing else."""
    path = _sound(tmp_path / "a.flac", 7)
    before = path.read_bytes()

    with pytest.raises(ZeroDivisionError):
        pad(path, path, 0.0, 1.0, _failing)

    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.flac"]
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "gone" / "a") as partial:
        partial.write_text("whoever writes makes no directory")


@pytest.mark.parametrize(
    ("known", "heard", "errors"),
    [
        ("Let us go, now.", "let us go now", (4, 0, 0, 0)),
        ("let us go now", "let go now", (4, 0, 1, 0)),
        ("let us go", "let us all go", (3, 0, 0, 1)),
        ("let us go", "bet us no", (3, 2, 0, 0)),
        ("", "hello there", (0, 0, 0, 2)),
        ("one two three", "", (3, 0, 3, 0)),
        ("the cat sat on the mat", "a cat sat the mat today", (6, 1, 1, 1)),
    ],
)
def test_word_errors_are_the_fewest_edits(known: str, heard: str, errors: tuple[int, int, int, int]) -> None:
    """Substituted, deleted and inserted words, case and punctuation aside."""
    assert word_errors(known, heard) == WordErrors(*errors)


def test_word_errors_add_up() -> None:
    """The rate of several tracks is that of all their words."""
    total = WordErrors(10, 1, 1, 0) + WordErrors(30, 2, 0, 4)

    assert (total.rate, WordErrors.from_json(total.to_json())) == (0.2, total)
    assert WordErrors.from_json(None) == WordErrors(0, 0, 0, 0)


def test_turns_are_in_order_and_end_with_a_pause() -> None:
    """The words of all speakers, by when a turn begins."""
    words = {
        "Ada": [Word("we", 0.0, 0.2), Word("go", 0.9, 1.0), Word("now", 3.0, 3.2)],
        "Ben": [Word("yes", 1.5, 1.8)],
        "Cleo": [],
    }

    assert merge(words) == [
        Turn("Ada", 0.0, 1.0, "we go"),
        Turn("Ben", 1.5, 1.8, "yes"),
        Turn("Ada", 3.0, 3.2, "now"),
    ]


def test_topics_split_where_the_words_change() -> None:
    """Two conversations in one are two topics, named after their own words."""
    said = [
        "the garden has red flowers",
        "flowers in the garden grow",
        "the garden flowers need water",
        "the engine of the car is loud",
        "a car with a new engine",
        "the engine and the car cost",
    ]
    turns = [Turn("A", 2.0 * n, 2.0 * n + 1, text) for n, text in enumerate(said)]

    topics = detect_topics(turns)

    assert [(topic.start, topic.end) for topic in topics] == [(0.0, 5.0), (6.0, 11.0)]
    assert [topic.title for topic in topics] == ["Flower and garden", "Car and engine"]
    assert {topic.summary for topic in topics} <= set(said)
    assert title_of(turns) == "Car, engine and flower"
    assert summary_of(turns[:2]) == "The garden has red flowers. Flowers in the garden grow."


def test_nothing_said_has_no_topics() -> None:
    """And a conversation without a word that means anything still has a title."""
    assert (detect_topics([]), title_of([]), summary_of([])) == ([], "Untitled", "")
    (topic,) = detect_topics([Turn("A", 0.0, 1.0, "and then")])
    assert topic.title == "And then"


def test_who_did_not_agree_is_withheld() -> None:
    """A track without anybody who agreed, or that somebody who did not agree shares, may not be kept."""
    tracks = tuple(Track(name, f"{name}.flac", 0.0, "") for name in ("a", "b", "c", "d"))
    people = (
        Participant("Ada", "a", consent=True),
        Participant("Ben", "b", consent=False),
        Participant("Cleo", "c", consent=True),
        Participant("Dan", "c", consent=False),
    )

    assert Recording("r", 1.0, tracks, people).withheld == {"b", "c", "d"}


def test_deletion_is_proved_by_what_is_searched(tmp_path: Path) -> None:
    """A copy under any name is found, and what others have half written; a repeated deletion proves the same."""
    (run := tmp_path / "run").mkdir()
    (store := tmp_path / "store").mkdir()
    secret = store / "cleo.flac"
    secret.write_bytes(b"voice")
    (store / "ada.flac").write_bytes(b"other voice")

    def delete() -> Proof:
        return delete_withheld(run, {"cleo": secret}, {}, [run, store], lambda: None)

    assert delete() == delete() == Proof(("cleo",), 2, ())
    (run / "copy.bin").write_bytes(b"voice")
    (store / ".x.part").write_bytes(b"voi")
    assert delete().remaining == (str(run / "copy.bin"), str(store / ".x.part"))


def test_what_a_killed_process_has_half_written_is_deleted(tmp_path: Path) -> None:
    """The next attempt writes under another name, so that nobody else would delete it, and no attempt would succeed."""
    (padded := tmp_path / "padded").mkdir()
    with replacing(padded / "cleo.flac") as partial:
        partial.write_bytes(b"voice")
    partial.write_bytes(b"voi")  # as one is left whose process was killed

    proof = delete_withheld(tmp_path, {"padded": padded / "cleo.flac"}, {}, [tmp_path], lambda: None)

    assert proof.remaining == ()
    assert list(padded.iterdir()) == []


def test_audio_that_is_gone_already_is_known_by_its_hash(tmp_path: Path) -> None:
    """An earlier run has deleted the file, and not a copy of it."""
    digest = hashlib.sha256(b"voice").hexdigest()
    (run := tmp_path / "run").mkdir()
    (run / "copy.bin").write_bytes(b"voice")

    proof = delete_withheld(run, {"cleo": tmp_path / "cleo.flac"}, {"cleo": digest}, [run], lambda: None)

    assert proof.remaining == (str(run / "copy.bin"),)


@pytest.mark.parametrize(("url", "shadow"), [("", False), ("http://127.0.0.1:1/", True)])
def test_a_message_is_recorded_once(tmp_path: Path, url: str, shadow: bool) -> None:
    """Without a receiver, and for a shadow, it goes nowhere; the second time it was sent before."""
    record = tmp_path / "webhook.json"

    first = deliver(b"{}", url, "id", record, shadow=shadow)
    second = deliver(b"{}", url, "id", record, shadow=shadow)

    assert first == ("recorded, since this is a shadow" if shadow else "recorded")
    assert (second, record.read_bytes()) == ("sent in an earlier attempt", b"{}")


def test_a_message_that_was_not_taken_is_not_recorded(tmp_path: Path) -> None:
    """So that the next attempt sends it."""
    with pytest.raises(OSError, match="refused"):
        deliver(b"{}", "http://127.0.0.1:1/", "id", tmp_path / "webhook.json", shadow=False)
    with pytest.raises(OSError, match="no URL of a web server"):
        deliver(b"{}", "file:///etc/passwd", "id", tmp_path / "webhook.json", shadow=False)
    assert list(tmp_path.iterdir()) == []
