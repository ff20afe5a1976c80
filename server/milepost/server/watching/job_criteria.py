"""Job filters as values, and what of the log matches them."""

from __future__ import annotations

from typing import Final, NamedTuple

from milepost.server.access.narrowing import Narrowed
from milepost.server.log.event_log import DropNotice, Entry, JobAttributes, Query
from milepost.server.log.frames import Chunk
from milepost.server.watching.batches import BATCH_BYTES
from milepost.server.watching.memory_budget import ENTRY_OVERHEAD, LABEL_OVERHEAD
from milepost.v1 import JobFilter

NO_EVENTS: Final = Chunk(0, 0, b"")
"""The chunk of a notice."""


# Bytes of a filter with its empty sets, and of a text beyond its characters, with its place in a set.
_OVERHEAD: Final = 1200
_TEXT_OVERHEAD: Final = 150


class FeedItem(NamedTuple):
    """A commit of a matching job, or a notice that events of one were dropped."""

    position: int
    job_id: str
    chunk: Chunk
    starts_matching: bool
    """Whether the job matches from this commit on, and has earlier commits that are not in the feed."""
    notice: DropNotice | None = None

    @property
    def needs_own_frame(self) -> bool:
        """Whether it is sent in a frame of its own."""
        return self.starts_matching or self.notice is not None


class FeedEntry(NamedTuple):
    """The attributes of a log entry that feeds need."""

    position: int
    attributes: JobAttributes
    chunk: Chunk
    state_before: int
    state: int
    notice: DropNotice | None

    @classmethod
    def of(cls, entry: Entry) -> FeedEntry:
        """Take it from the entry."""
        if isinstance(entry, DropNotice):
            return cls(entry.position, entry.attributes, NO_EVENTS, 0, 0, entry)
        commit = entry.commit
        return cls(entry.position, commit.attributes, commit.chunk, commit.state_before, commit.state, None)

    @property
    def size(self) -> int:
        """Bytes that it takes in a cache. Other entries of the job may share its labels, but need not."""
        labels = sum(
            len(name) + len(value) + LABEL_OVERHEAD for name, value in self.attributes.labels.items()
        )
        return len(self.chunk.frames) + ENTRY_OVERHEAD + labels


class JobCriteria(NamedTuple):
    """A job filter as a hashable value."""

    owners: frozenset[str] | None
    kinds: frozenset[str]
    labels: frozenset[tuple[str, str]]
    parent_job_id: str
    job_ids: frozenset[str]
    states: frozenset[int]

    @classmethod
    def of(cls, wanted: JobFilter, narrowed: Narrowed) -> JobCriteria:
        """The criteria of a request's filter, narrowed for its principal."""
        return cls(
            narrowed.owners,
            frozenset(wanted.kinds),
            frozenset(wanted.labels.items()),
            narrowed.parent_job_id,
            frozenset(wanted.job_ids),
            frozenset(wanted.states),
        )

    @property
    def size(self) -> int:
        """The bytes, about, that it takes in memory."""
        texts = [*(self.owners or ()), self.parent_job_id, *self.kinds, *self.job_ids]
        texts += [text for label in self.labels for text in label]
        return _OVERHEAD + sum(map(len, texts)) + _TEXT_OVERHEAD * len(texts)

    def query(self) -> Query:
        """The query of the log for the same jobs."""
        return Query(
            owners=None if self.owners is None else sorted(self.owners),
            kinds=sorted(self.kinds),
            labels=dict(sorted(self.labels)),
            parent_job_id=self.parent_job_id,
            with_parent=True,
            job_ids=sorted(self.job_ids),
            states=sorted(self.states),
            newest_first=False,
            limit=100,
            max_bytes=BATCH_BYTES,
        )

    def item(self, entry: FeedEntry) -> FeedItem | None:
        """The item of a log entry; None if it does not match."""
        if not self.matches(entry.attributes):
            return None
        if entry.notice is not None:
            return notice_item(entry.notice)
        return self.commit(
            entry.position, entry.attributes.job_id, entry.chunk, entry.state_before, entry.state
        )

    def commit(self, position: int, job_id: str, chunk: Chunk, before: int, state: int) -> FeedItem | None:
        """The item of a commit whose job matches apart from its state; None if neither state matches."""
        starts_matching = False
        if self.states and before not in self.states:
            if state not in self.states:
                return None
            starts_matching = chunk.first > 1
        return FeedItem(position, job_id, chunk, starts_matching)

    def has_item(self, entry: FeedEntry) -> bool:
        """Whether ``item`` would return one. It does not make it, since that takes longer than the rest."""
        return (
            not self.states
            or entry.notice is not None
            or entry.state_before in self.states
            or entry.state in self.states
        ) and self.matches(entry.attributes)

    def owns(self, owner: str) -> bool:
        """Whether jobs of the owner match."""
        return self.owners is None or owner in self.owners

    def matches(self, attributes: JobAttributes) -> bool:
        """Whether a job with these attributes matches, apart from its state."""
        return (
            self.owns(attributes.owner)
            and (not self.kinds or attributes.kind in self.kinds)
            and (
                not self.parent_job_id or self.parent_job_id in (attributes.parent_job_id, attributes.job_id)
            )
            and (not self.job_ids or attributes.job_id in self.job_ids)
            and (
                not self.labels  # a generator costs as much as all of the above
                or all(attributes.labels.get(name) == value for name, value in self.labels)
            )
        )


def notice_item(notice: DropNotice) -> FeedItem:
    """The item of a notice."""
    return FeedItem(
        notice.position, notice.attributes.job_id, NO_EVENTS, starts_matching=False, notice=notice
    )
