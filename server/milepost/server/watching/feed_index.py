"""Finding the feeds that a job may match, without asking each of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Final, Generic, TypeVar

from milepost.server.log.event_log import JobAttributes
from milepost.server.watching.job_criteria import JobCriteria

_Feed = TypeVar("_Feed", bound=Hashable)

_SHRINK_RATIO: Final = 8
"""A dict keeps room for the most entries that it ever had. It is copied once only one in this many is left."""

_SHRINK_FROM: Final = 1000
"""Dicts with room for fewer entries are not copied."""


class FeedIndex(Generic[_Feed]):
    """Feeds by the most selective criterion of their filters: ids, parent, owners, kinds or a label.

    A feed whose filter has none of these is a candidate for every job.
    """

    def __init__(self) -> None:
        self._by_id: _Buckets[_Feed] = _Buckets()
        self._by_parent: _Buckets[_Feed] = _Buckets()
        self._by_owner: _Buckets[_Feed] = _Buckets()
        self._by_kind: _Buckets[_Feed] = _Buckets()
        self._by_label: _Buckets[_Feed] = _Buckets()
        self._others: dict[_Feed, None] = {}

    def add(self, criteria: JobCriteria, feed: _Feed) -> None:
        """Add the feed of this filter."""
        buckets, values = self._place(criteria)
        if buckets is None:
            self._others[feed] = None
            return
        for value in values:
            buckets.add(value, feed)

    def discard(self, criteria: JobCriteria, feed: _Feed) -> None:
        """Remove the feed of this filter."""
        buckets, values = self._place(criteria)
        if buckets is None:
            self._others.pop(feed, None)
            return
        for value in values:
            buckets.discard(value, feed)

    def has_candidates(self, attributes: JobAttributes) -> bool:
        """Whether there is any feed that a job with these attributes may match."""
        return (
            bool(self._others)
            or attributes.job_id in self._by_id
            or attributes.parent_job_id in self._by_parent
            or attributes.job_id in self._by_parent
            or attributes.owner in self._by_owner
            or attributes.kind in self._by_kind
            or any(label in self._by_label for label in attributes.labels.items())
        )

    def candidates(self, attributes: JobAttributes) -> Iterator[_Feed]:
        """Iterate over the feeds that a job with these attributes may match, each once."""
        yield from self._by_id.at(attributes.job_id)
        yield from self._by_parent.at(attributes.parent_job_id)
        yield from self._by_parent.at(attributes.job_id)  # a filter by parent includes the parent
        yield from self._by_owner.at(attributes.owner)
        yield from self._by_kind.at(attributes.kind)
        for label in attributes.labels.items():
            yield from self._by_label.at(label)
        yield from list(self._others)

    def _place(self, criteria: JobCriteria) -> tuple[_Buckets[_Feed] | None, Iterable[Hashable]]:
        if criteria.job_ids:
            return self._by_id, criteria.job_ids
        if criteria.parent_job_id:
            return self._by_parent, (criteria.parent_job_id,)
        if criteria.owners is not None:
            return self._by_owner, criteria.owners
        if criteria.kinds:
            return self._by_kind, criteria.kinds
        if criteria.labels:
            return self._by_label, (min(criteria.labels),)
        return None, ()


class _Buckets(Generic[_Feed]):
    """Feeds by the values of one criterion."""

    def __init__(self) -> None:
        # A value's only feed by itself: a feed may have a hundred values that no other one has.
        self._feeds: dict[Hashable, _Feed | dict[_Feed, None]] = {}
        self._room = _SHRINK_FROM

    def __contains__(self, value: Hashable) -> bool:
        return value in self._feeds

    def add(self, value: Hashable, feed: _Feed) -> None:
        found = self._feeds.get(value)
        if found is None:
            self._feeds[value] = feed
            self._room = max(self._room, len(self._feeds))
        elif isinstance(found, dict):
            found[feed] = None
        else:
            self._feeds[value] = {found: None, feed: None}

    def discard(self, value: Hashable, feed: _Feed) -> None:
        found = self._feeds.get(value)
        if isinstance(found, dict):
            found.pop(feed, None)
        if found is feed or found == {}:
            del self._feeds[value]
            if _SHRINK_RATIO * len(self._feeds) < self._room > _SHRINK_FROM:
                self._feeds = dict(self._feeds)
                self._room = max(_SHRINK_FROM, len(self._feeds))

    def at(self, value: Hashable) -> list[_Feed]:
        """The feeds of this value, in a list of their own, so that some may leave meanwhile."""
        found = self._feeds.get(value)
        if found is None:
            return []
        return list(found) if isinstance(found, dict) else [found]
