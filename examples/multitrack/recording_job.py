"""A recording: its stages one after the other, each of which may be repeated.

A stage writes files that are whole or absent, and takes those that an earlier attempt has written. What blocks runs in
a thread, and looks with each second of sound whether the job is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from examples.multitrack import multitrack_events_pb2 as events
from examples.multitrack.audio import mix, peaks
from examples.multitrack.consent import delete_withheld
from examples.multitrack.delivery import body_of, deliver
from examples.multitrack.in_thread import in_thread
from examples.multitrack.listening import progress_of
from examples.multitrack.recognition import Word
from examples.multitrack.recording import Recording, Track
from examples.multitrack.run_directory import RunDirectory
from examples.multitrack.run_files import read_json, sha256_of, write_json
from examples.multitrack.topics import Topic, detect_topics, summary_of, title_of
from examples.multitrack.transcript import Turn, WordErrors, merge
from examples.multitrack.typed_events import emit
from milepost.client import JobContext, JobFailure, StageContext
from milepost.client.engines import is_shadow
from milepost.v1 import Stage

__all__ = ["STAGES", "RecordingJob"]

STAGES: Final = [
    Stage(stage_id="get_recording", weight=1),
    Stage(stage_id="get_participants", weight=0.5),
    Stage(stage_id="process_tracks", weight=20, unit="tracks"),
    Stage(stage_id="mixdown_tracks", weight=3, unit="seconds"),
    Stage(stage_id="generate_waveform", weight=1, unit="seconds"),
    Stage(stage_id="merge_transcripts", weight=0.5),
    Stage(stage_id="detect_topics", weight=0.5),
    Stage(stage_id="generate_title", weight=0.5),
    Stage(stage_id="generate_summary", weight=0.5),
    Stage(stage_id="finalize", weight=0.5),
    Stage(stage_id="cleanup_consent", weight=1),
    Stage(stage_id="post_chat", weight=0.5),
    Stage(stage_id="send_webhook", weight=0.5),
]
"""The plan; most of the time goes to the tracks."""

_PEAKS: Final = 200

_Value = TypeVar("_Value")


class RecordingJob:
    """One attempt at a recording."""

    def __init__(
        self,
        job: JobContext,
        run: RunDirectory,
        run_track: Callable[[str], Awaitable[dict[str, Any]]],
    ) -> None:
        """Start nothing yet; `run_track` processes a track as a child of `job`."""
        self._job = job
        self._run = run
        self._run_track = run_track
        self._store = Path(job.input["recording"])

    async def process(self) -> dict[str, Any]:
        """Run all stages, and return the result of the job."""
        await self._stage("get_recording", self._get_recording)
        recording = await self._stage("get_participants", self._get_participants)
        errors = await self._process_tracks(recording)
        await self._stage("mixdown_tracks", self._mixdown, recording)
        await self._stage("generate_waveform", self._waveform, recording)
        turns = await self._stage("merge_transcripts", self._merge, recording, errors)
        topics = await self._stage("detect_topics", self._detect_topics, turns)
        title = await self._stage("generate_title", self._title, turns)
        summary = await self._stage("generate_summary", self._summary, turns)
        document = {
            "recording": recording.recording_id,
            "duration": recording.duration,
            "participants": [person.name for person in recording.participants],
            "title": title,
            "summary": summary,
            "topics": [topic.to_json() for topic in topics],
            "transcript": [turn.to_json() for turn in turns],
        }
        await self._stage("finalize", self._finalize, document)
        withheld = await self._stage("cleanup_consent", self._cleanup_consent, recording)
        chat = {"text": f"“{title}” is transcribed: {summary}"}
        await self._stage("post_chat", self._post, "chat", body_of(chat), self._run.chat)
        body = body_of(document)
        await self._stage("send_webhook", self._post, "webhook", body, self._run.webhook)
        result = {
            **document,
            "word_errors": errors.to_json() if errors.words else None,
            "consent": {"withheld": withheld, "remaining": []},
            "webhook": sha256_of(self._run.webhook),
        }
        await in_thread(write_json, self._run.result, result)
        return result

    # The stages; each is called in a thread.

    def _get_recording(self, stage: StageContext) -> None:
        """Copy the recording, its description last."""
        if self._run.is_fetched:
            return
        try:
            recording = Recording.in_directory(self._store)
        except (FileNotFoundError, ValueError) as error:
            raise JobFailure("NO_RECORDING", str(error), retryable=False) from error
        for track in stage.track(recording.tracks):
            try:
                self._run.fetch(self._store / track.file)
            except FileNotFoundError:
                if track.track_id not in recording.withheld:
                    raise
                self._job.log(f"{track.file} was deleted before, for lack of consent", severity="warning")
        recording.write(self._run.path)

    def _get_participants(self, stage: StageContext) -> Recording:
        recording = self._run.recording
        people = [
            events.Participant(name=person.name, track_id=person.track_id, consent=person.consent)
            for person in recording.participants
        ]
        emit(self._job, events.Participants(participants=people))
        emit(self._job, events.Duration(seconds=recording.duration))
        return recording

    def _mixdown(self, stage: StageContext, recording: Recording) -> None:
        """Mix what may be kept: the mixdown never has a voice that would have to be taken out of it."""
        kept = [t.track_id for t in recording.tracks if t.track_id not in recording.withheld]
        stage.update(total=recording.duration)
        if not self._run.mixdown.exists():
            padded = [self._run.padded(track_id) for track_id in kept]
            mix(padded, self._run.mixdown, recording.duration, progress_of(self._job, stage))

    def _waveform(self, stage: StageContext, recording: Recording) -> None:
        stage.update(total=recording.duration)
        loudest = read_json(self._run.waveform)
        if loudest is None:
            loudest = peaks(self._run.mixdown, _PEAKS, recording.duration, progress_of(self._job, stage))
            write_json(self._run.waveform, loudest)
        emit(self._job, events.Waveform(peaks=loudest))

    def _merge(self, stage: StageContext, recording: Recording, errors: WordErrors) -> list[Turn]:
        words = {
            recording.speaker_of(track.track_id): [
                Word(**word) for word in read_json(self._run.words(track.track_id))
            ]
            for track in self._present(recording)
        }
        turns = merge(words)
        write_json(self._run.transcript, [turn.to_json() for turn in turns])
        message = events.Transcript(turns=[events.Turn(**turn.to_json()) for turn in turns])
        if errors.words:
            message.word_errors.CopyFrom(
                events.WordErrors(
                    words=errors.words,
                    substituted=errors.substituted,
                    deleted=errors.deleted,
                    inserted=errors.inserted,
                )
            )
        emit(self._job, message)
        return turns

    def _detect_topics(self, stage: StageContext, turns: list[Turn]) -> list[Topic]:
        topics = detect_topics(turns)
        write_json(self._run.topics, [topic.to_json() for topic in topics])
        for topic in topics:
            emit(self._job, events.Topic(**topic.to_json()))
        return topics

    def _title(self, stage: StageContext, turns: list[Turn]) -> str:
        title = title_of(turns)
        emit(self._job, events.FinalTitle(title=title))
        return title

    def _summary(self, stage: StageContext, turns: list[Turn]) -> str:
        summary = summary_of(turns)
        emit(self._job, events.FinalSummary(summary=summary))
        return summary

    def _finalize(self, stage: StageContext, document: dict[str, Any]) -> None:
        """Write the title and the summary, and register what the run has made."""
        write_json(self._run.headline, {"title": document["title"], "summary": document["summary"]})
        for path, media_type in (
            (self._run.mixdown, "audio/flac"),
            (self._run.waveform, "application/json"),
            (self._run.transcript, "application/json"),
            (self._run.topics, "application/json"),
            (self._run.headline, "application/json"),
        ):
            self._job.artifact(
                path.name,
                path.as_uri(),
                media_type=media_type,
                size_bytes=path.stat().st_size,
                sha256=sha256_of(path),
                stage=stage,
            )

    def _cleanup_consent(self, stage: StageContext, recording: Recording) -> list[str]:
        """Delete the audio that may not be kept, and search for what is left of it.

        A shadow leaves the recording itself to its primary.
        """
        tracks = [track for track in recording.tracks if track.track_id in recording.withheld]
        files: dict[str, Path] = {}
        for track in tracks:
            if not is_shadow(self._job):
                files[f"recording/{track.file}"] = self._store / track.file
            files[f"tracks/{track.file}"] = self._run.track(track.file)
            files[f"padded/{track.track_id}.flac"] = self._run.padded(track.track_id)
        known = {f"recording/{track.file}": track.sha256 for track in tracks}
        searched = [self._run.path] if is_shadow(self._job) else [self._run.path, self._store]
        proof = delete_withheld(self._run.path, files, known, searched, self._job.raise_if_cancelled)
        withheld = [p.name for p in recording.participants if p.track_id in recording.withheld]
        emit(
            self._job,
            events.Consent(
                withheld=withheld,
                deleted=proof.deleted,
                checked_files=proof.checked_files,
                remaining=proof.remaining,
            ),
        )
        if proof.remaining:
            raise JobFailure(
                "AUDIO_REMAINS", f"Audio that should be gone is still in {', '.join(proof.remaining)}."
            )
        self._job.log(
            f"{len(proof.deleted)} files of {', '.join(withheld) or 'nobody'} are deleted; none of the"
            f" {proof.checked_files} files that remain has their audio",
            stage=stage,
        )
        return withheld

    def _post(self, stage: StageContext, target: str, body: bytes, record: Path) -> None:
        url = self._job.input.get(f"{target}_url") or ""
        done = deliver(body, url, f"{self._job.id}.{target}", record, shadow=is_shadow(self._job))
        self._job.log(f"the {target} message is {done}", stage=stage)

    # How they run.

    async def _stage(self, stage_id: str, step: Callable[..., _Value], *args: Any) -> _Value:
        async with self._job.stage(stage_id) as stage:
            return await in_thread(step, stage, *args)

    async def _process_tracks(self, recording: Recording) -> WordErrors:
        """Process all tracks at once, each in a child job; the sum of their errors."""
        tracks = await in_thread(self._present, recording)
        async with self._job.stage("process_tracks", total=len(tracks)) as stage:

            async def process(track_id: str) -> WordErrors:
                result = await self._run_track(track_id)
                stage.advance(1)
                return WordErrors.from_json(result.get("word_errors"))

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(process(track.track_id)) for track in tracks]
            return sum((task.result() for task in tasks), WordErrors(0, 0, 0, 0))

    def _present(self, recording: Recording) -> list[Track]:
        """The tracks that there are: one that may not be kept can have been deleted by an earlier run."""
        return [
            track
            for track in recording.tracks
            if self._run.track(track.file).exists() or self._run.words(track.track_id).exists()
        ]
