"""The reporter: numbering, thinning, bounds, and resending after the server's last report (rules 11, 12 and 15)."""

from __future__ import annotations

import random

from milepost.client._worker.reporter import Batch, Reporter
from milepost.v1 import (
    Custom,
    JobEnded,
    LogWritten,
    Stage,
    StageProgressed,
    StagesPlanned,
    StageStarted,
    Update,
)


class Wakes:
    """Counts the wake-ups of the session."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        """Count a call."""
        self.count += 1


class Meter:
    """A source of rising progress that counts its calls."""

    def __init__(self, current: float = 0.0) -> None:
        self.current = current
        self.asked = 0

    def progress(self) -> Update | None:
        """Its progress now."""
        self.asked += 1
        return Update(stage_progressed=StageProgressed(stage_id="s", current=self.current))


def line(text: str = "x") -> Update:
    """A log line."""
    return Update(log_written=LogWritten(text=text))


def texts(batch: Batch | None) -> list[str]:
    """The log lines of a batch."""
    assert batch is not None
    return [update.log_written.text for update in batch.updates]


def say(reporter: Reporter, *lines: str) -> None:
    """Add droppable log lines."""
    for text in lines:
        reporter.add(line(text), droppable=True)


def test_updates_are_numbered_from_one_in_order() -> None:
    """The first update of an attempt has the number 1; a batch has the number of its first update."""
    reporter = Reporter(Wakes())
    say(reporter, "a", "b")
    first = reporter.next_batch(0.0)
    say(reporter, "c")
    second = reporter.next_batch(0.0)
    assert first is not None
    assert second is not None
    assert (first.first, texts(first)) == (1, ["a", "b"])
    assert (second.first, texts(second)) == (3, ["c"])
    assert reporter.next_batch(0.0) is None
    assert reporter.last == 3


def test_it_wakes_once_until_the_waiter_has_run() -> None:
    """Ten thousand updates wake the session once."""
    wakes = Wakes()
    reporter = Reporter(wakes)
    say(reporter, *"abc")
    assert wakes.count == 1
    reporter.next_batch(0.0)
    assert wakes.count == 1
    say(reporter, *"de")
    assert wakes.count == 2


def test_acknowledgements_are_cumulative() -> None:
    """Acknowledged updates are dropped with all before them; the others are kept."""
    reporter = Reporter(Wakes())
    say(reporter, *"abcd")
    reporter.next_batch(0.0)
    reporter.acknowledge(3)
    assert (reporter.acknowledged, reporter.last, reporter.is_empty) == (3, 4, False)
    reporter.acknowledge(2)
    assert reporter.acknowledged == 3
    reporter.acknowledge(4)
    assert reporter.is_empty


def test_a_stray_acknowledgement_forgets_nothing_that_was_not_sent() -> None:
    """An acknowledgement of an earlier attempt drops no updates of this one."""
    reporter = Reporter(Wakes())
    say(reporter, "a")
    reporter.next_batch(0.0)
    say(reporter, "b")
    reporter.acknowledge(99)
    assert texts(reporter.next_batch(0.0)) == ["b"]


def test_a_new_session_continues_after_the_last_acknowledged_number() -> None:
    """After a lost connection unacknowledged updates are sent again under the same numbers, then new ones."""
    reporter = Reporter(Wakes())
    say(reporter, *"abcde")
    reporter.next_batch(0.0)
    reporter.acknowledge(1)
    say(reporter, "f")
    assert reporter.rewind(3)
    again = reporter.next_batch(0.0)
    assert again is not None
    assert (again.first, texts(again)) == (4, ["d", "e", "f"])
    assert reporter.next_batch(0.0) is None


def test_a_server_with_other_reports_cannot_be_continued() -> None:
    """A server that lacks acknowledged updates, or has unsent ones, is another one."""
    reporter = Reporter(Wakes())
    say(reporter, *"abc")
    reporter.next_batch(0.0)
    reporter.acknowledge(2)
    assert not reporter.rewind(1)
    assert not reporter.rewind(4)
    assert reporter.rewind(2)


def test_batches_are_bounded_in_number_and_in_size() -> None:
    """A report has at most 500 updates, and stays under 1 MiB."""
    many = Reporter(Wakes())
    say(many, *("x" for _ in range(1200)))
    batches = [many.next_batch(0.0), many.next_batch(0.0), many.next_batch(0.0)]
    assert [len(texts(batch)) for batch in batches] == [500, 500, 200]
    large = Reporter(Wakes())
    for _ in range(10):
        large.add(Update(custom=Custom(type="t" * 250_000)))
    sizes = []
    while (batch := large.next_batch(0.0)) is not None:
        sizes.append(sum(update.ByteSize() for update in batch.updates))
    assert sum(sizes) >= 2_500_000
    assert max(sizes) < 1024 * 1024


def test_an_update_that_no_message_can_hold_is_left_out() -> None:
    """With a note; sent, it would end the session each time."""
    reporter = Reporter(Wakes())
    reporter.add(Update(stages_planned=StagesPlanned(stages=[Stage(title="t" * 5_000_000)])))
    assert texts(reporter.next_batch(0.0)) == [
        "An update of 5,000,015 bytes was left out: at most 4,128,768 can be sent."
    ]


def test_unacknowledged_updates_can_be_handed_over() -> None:
    """Sent or not, under the same numbers; once the server has all of them, nothing remains."""
    reporter = Reporter(Wakes())
    say(reporter, *"abcd")
    reporter.next_batch(0.0)
    reporter.acknowledge(2)
    reporter.end(Update(job_ended=JobEnded()))
    rest = reporter.unacknowledged()
    assert rest is not None
    another = Reporter.restored(Wakes(), rest)
    assert (another.acknowledged, another.last, another.has_ended) == (2, 5, True)
    batch = another.next_batch(0.0)
    assert batch is not None
    assert (batch.first, texts(batch)) == (3, ["c", "d", ""])
    assert another.rewind(4)
    another.next_batch(0.0)
    another.acknowledge(5)
    assert another.unacknowledged() is None


def test_no_more_than_a_window_is_on_its_way() -> None:
    """Unacknowledged updates in flight are bounded; acknowledgements make room."""
    reporter = Reporter(Wakes())
    say(reporter, *("x" for _ in range(6000)))
    sent = 0
    while (batch := reporter.next_batch(0.0)) is not None:
        sent += len(batch.updates)
    assert sent == 5000
    reporter.acknowledge(400)
    assert len(texts(reporter.next_batch(0.0))) == 400
    assert reporter.next_batch(0.0) is None


def test_a_full_buffer_drops_and_says_so() -> None:
    """Without a session the buffer stays bounded; dropped updates are counted, and noted in their place."""
    reporter = Reporter(Wakes())
    for number in range(60_000):
        say(reporter, str(number))
    reporter.add(Update(stage_started=StageStarted()))  # events of the job's state are kept all the same
    got = []
    while (batch := reporter.next_batch(0.0)) is not None:
        got += batch.updates
        reporter.acknowledge(reporter.last)
    assert [update.log_written.text for update in got[:50_000]] == [str(number) for number in range(50_000)]
    assert (
        got[50_000].log_written.text
        == "10000 updates were dropped here: they came faster than they could be sent."
    )
    assert got[50_001].HasField("stage_started")
    assert len(got) == 50_002


def test_a_buffer_is_bounded_in_bytes_as_well() -> None:
    """Few updates may be large."""
    reporter = Reporter(Wakes())
    for _ in range(200):
        reporter.add(Update(custom=Custom(type="t" * 250_000)), droppable=True)
    size = 0
    while (batch := reporter.next_batch(0.0)) is not None:
        size += sum(update.ByteSize() for update in batch.updates)
        reporter.acknowledge(reporter.last)
    assert 15_000_000 < size < 17_000_000


def test_progress_is_asked_for_once_a_tick() -> None:
    """However often a source moves, it is asked at most ten times a second; the first time at once."""
    reporter = Reporter(Wakes())
    meter = Meter()
    results = []
    for millisecond in range(1000):
        meter.current += 1
        with reporter.lock:
            reporter.schedule_progress(meter.progress)
        batch = reporter.next_batch(100 + millisecond / 1000)
        if batch is not None:
            results += [update.stage_progressed.current for update in batch.updates]
    assert meter.asked == 10
    assert results[0] == 1.0
    assert sorted(results) == results


def test_progress_that_waits_is_due_with_the_next_tick() -> None:
    """The last value is sent even without further progress."""
    reporter = Reporter(Wakes())
    meter = Meter(1.0)
    with reporter.lock:
        reporter.schedule_progress(meter.progress)
    assert reporter.due(50.0) == 0.0
    assert reporter.next_batch(50.0) is not None
    assert reporter.due(50.0) is None
    meter.current = 2.0
    with reporter.lock:
        reporter.schedule_progress(meter.progress)
    assert reporter.next_batch(50.06) is None
    wait = reporter.due(50.06)
    assert wait is not None
    assert 0.039 < wait < 0.041
    batch = reporter.next_batch(50.06 + wait)
    assert batch is not None
    assert [update.stage_progressed.current for update in batch.updates] == [2.0]


def test_the_end_comes_last_with_all_progress_before_it() -> None:
    """Pending progress is reported before `job_ended`, and nothing after it."""
    reporter = Reporter(Wakes())
    meter = Meter(7.0)
    with reporter.lock:
        reporter.schedule_progress(meter.progress)
    reporter.end(Update(job_ended=JobEnded()))
    say(reporter, "too late")
    reporter.end(Update(job_ended=JobEnded()))
    batch = reporter.next_batch(0.0)
    assert batch is not None
    assert [update.WhichOneof("update") for update in batch.updates] == ["stage_progressed", "job_ended"]
    assert reporter.has_ended


def test_a_refused_end_can_be_reported_differently() -> None:
    """The job must end, so another end follows a refused one."""
    reporter = Reporter(Wakes())
    reporter.end(Update(job_ended=JobEnded(message="first")))
    reporter.next_batch(0.0)
    reporter.replace_end(Update(job_ended=JobEnded(message="second")))
    batch = reporter.next_batch(0.0)
    assert batch is not None
    assert (batch.first, batch.updates[0].job_ended.message) == (2, "second")


def test_a_closed_reporter_is_silent() -> None:
    """After the loss of the lease nothing is sent."""
    wakes = Wakes()
    reporter = Reporter(wakes)
    say(reporter, "a", "b")
    reporter.next_batch(0.0)
    say(reporter, "c")
    before = wakes.count
    reporter.close()
    say(reporter, "d")
    with reporter.lock:
        reporter.schedule_progress(Meter().progress)
    assert reporter.next_batch(0.0) is None
    assert reporter.is_empty
    assert before == wakes.count


def test_any_history_of_losses_brings_each_update_once_in_order() -> None:
    """Over any lost connections and late acknowledgements the server gets each number with its update."""
    for seed in range(300):
        chance = random.Random(seed)
        reporter = Reporter(Wakes())
        said = 0
        log: list[str] = []  # the server's
        acknowledged: list[int] = []  # acknowledgements in flight
        while said < 200 or not reporter.is_empty:
            match chance.choice(("say", "send", "send", "acknowledge", "lose")):
                case "say" if said < 200:
                    burst = chance.randint(1, 20)
                    say(reporter, *(str(said + n) for n in range(burst)))
                    said += burst
                case "send":
                    batch = reporter.next_batch(0.0)
                    if batch is not None:
                        assert batch.first <= len(log) + 1, "a gap"
                        log += texts(batch)[len(log) + 1 - batch.first :]
                        acknowledged.append(len(log))
                case "acknowledge" if acknowledged:
                    reporter.acknowledge(acknowledged.pop(0))
                case "lose":
                    reporter.next_batch(0.0)  # the report is lost, and so are the acknowledgements
                    acknowledged.clear()
                    assert reporter.rewind(len(log))
        assert log == [str(number) for number in range(said)]


def test_progress_that_waits_for_its_tick_wakes_the_session_once() -> None:
    """However often it changes until then: the session knows when the tick is due."""
    wakes = Wakes()
    reporter = Reporter(wakes)
    meter = Meter()
    reporter.schedule_progress(meter.progress)
    assert reporter.next_batch(1.0) is not None
    wakes.count = 0
    for _ in range(10):
        reporter.schedule_progress(meter.progress)
        assert reporter.next_batch(1.05) is None

    assert wakes.count == 1
    assert reporter.due(1.05) is not None
    assert reporter.next_batch(2.0) is not None
    reporter.schedule_progress(meter.progress)
    assert wakes.count == 2
