"""The reason why a queued job waits, as text and in pictures."""

from __future__ import annotations

import pytest

from milepost.client._cli.rendering.job_details import job_lines, job_picture
from milepost.client._cli.rendering.job_frame import frame
from milepost.client._cli.rendering.job_view import PlainView, WarningView
from milepost.client._cli.rendering.status_text import waiting_text
from milepost.contract import limits
from milepost.v1 import Job, JobState, JobSubmitted, Waiting, WaitingFor
from tests.unit.command.drawing import drawn
from tests.unit.command.story import JOB_ID, Story, at, canvas, stamp

TURN = Waiting(waiting_for=WaitingFor.WAITING_FOR_TURN, workers=2)
WORKER = Waiting(waiting_for=WaitingFor.WAITING_FOR_WORKER)
NEAR = Waiting(waiting_for=WaitingFor.WAITING_FOR_WORKER, nearest_kinds=["archive", "archives"])
RECONNECT = Waiting(waiting_for=WaitingFor.WAITING_FOR_RECONNECT)
CLAIM = Waiting(waiting_for=WaitingFor.WAITING_FOR_CLAIM)


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (TURN, "waits for its turn; 2 workers take jobs of kind 'archve'"),
        (
            Waiting(waiting_for=WaitingFor.WAITING_FOR_TURN, workers=1),
            "waits for its turn; 1 worker takes jobs of kind 'archve'",
        ),
        (WORKER, "no worker takes jobs of kind 'archve'"),
        (NEAR, "no worker takes jobs of kind 'archve'; workers take 'archive' and 'archives'"),
        (
            RECONNECT,
            "no worker takes jobs of kind 'archve' yet; the server has just started, and workers may be reconnecting",
        ),
        (
            Waiting(waiting_for=RECONNECT.waiting_for, nearest_kinds=["archive"]),
            (
                "no worker takes jobs of kind 'archve' yet; workers take 'archive'; the server has just started, "
                "and workers may be reconnecting"
            ),
        ),
        (CLAIM, "waits to be claimed"),
        (
            Waiting(waiting_for=WaitingFor.WAITING_FOR_CONCURRENCY, workers=2),
            "as many jobs of its concurrency key are active as it allows",
        ),
    ],
)
def test_the_words(waiting: Waiting, words: str) -> None:
    """The reason, and the kinds that workers take instead."""
    assert waiting_text(waiting, Job(kind="archve"), at(0)) == words


def test_a_reason_of_a_later_server_is_a_turn() -> None:
    """An unknown reason is shown like the default, as the contract requires."""
    later = Waiting(workers=2)
    later.ParseFromString(b"\x08\x63" + later.SerializeToString())

    assert (
        waiting_text(later, Job(kind="archive"), at(0))
        == "waits for its turn; 2 workers take jobs of kind 'archive'"
    )


def test_kinds_are_escaped() -> None:
    """Kinds from jobs and servers are escaped."""
    hostile = Waiting(waiting_for=WaitingFor.WAITING_FOR_WORKER, nearest_kinds=["a\x1b[2J"])

    assert (
        waiting_text(hostile, Job(kind="k\u202e"), at(0))
        == r"no worker takes jobs of kind 'k\x202e'; workers take 'a\x1b[2J'"
    )


def queued() -> Story:
    """A job that is queued."""
    story = Story()
    job = Job(job_id=JOB_ID, kind="archve", state=JobState.JOB_STATE_QUEUED, submit_time=stamp(0))
    story.tell(0, job_submitted=JobSubmitted(job=job))
    return story


def test_a_picture_says_it_under_the_bar() -> None:
    """It is wrapped on a narrow terminal and never cut."""
    story = queued()
    story.source.waiting = NEAR
    lines = drawn(frame(story.watched, canvas(50, 3)), 50).splitlines()

    assert lines[3:5] == [
        "○ no worker takes jobs of kind 'archve'; workers",
        "  take 'archive' and 'archives'",
    ]


def test_a_job_as_it_stands_says_it() -> None:
    """In the picture and in the plain lines."""
    job = queued().watched.job
    picture = drawn(job_picture(job, canvas(80, 3), CLAIM), 80)

    assert "○ waits to be claimed" in picture.splitlines()
    assert "waiting    waits to be claimed" in list(job_lines(job, at(3), waiting=CLAIM))


def test_a_job_that_its_children_do_says_so() -> None:
    """No process holds it, whatever they do; to claim it is nobody's business."""
    story = queued()
    job, story.source.waiting = story.watched.job, CLAIM
    job.planned_children = 3
    lines: list[str] = []
    WarningView(lines.append).waiting_changed(story.watched)

    assert lines == [f"Job {JOB_ID}: waits for its children"]
    assert "○ waits for its children" in drawn(job_picture(job, canvas(80, 3), CLAIM), 80).splitlines()
    assert "waiting    waits for its children" in list(job_lines(job, at(3), waiting=CLAIM))


def test_the_maximum_of_attempts_is_no_bound_to_show() -> None:
    """Jobs of engines that decide about retries themselves have it."""
    job = queued().watched.job
    job.attempt, job.worker_id, job.retry_policy.max_attempts = 2, "box-1", limits.ATTEMPTS

    assert "attempt    2 by worker box-1" in list(job_lines(job, at(3)))


def test_plain_lines_say_what_is_news() -> None:
    """Lines say that a worker is missing or has come, not that a job waits its turn or how many workers there are."""
    story = queued()
    lines: list[str] = []
    plain, quiet = PlainView(lambda line: lines.append(line[10:])), WarningView(lines.append)
    for waiting in (TURN, WORKER, WORKER, NEAR, None, NEAR, TURN, Waiting(waiting_for=TURN.waiting_for)):
        story.source.waiting = waiting
        plain.waiting_changed(story.watched)
        quiet.waiting_changed(story.watched)

    said = [waiting_text(waiting, Job(kind="archve"), at(0)) for waiting in (WORKER, NEAR, TURN)]
    assert lines[::2] == said
    assert lines[1::2] == [f"Job {JOB_ID}: {words}" for words in said]
