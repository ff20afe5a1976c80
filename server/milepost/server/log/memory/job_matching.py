"""Which jobs a query selects."""

from __future__ import annotations

from milepost.server.log.event_log import JobAttributes, Query


def matches(attributes: JobAttributes, query: Query, states: set[int]) -> bool:
    """Whether a job in one of these states matches the query."""
    is_parent = query.with_parent and attributes.job_id == query.parent_job_id
    return (
        (query.owners is None or attributes.owner in query.owners)
        and (not query.kinds or attributes.kind in query.kinds)
        and (not query.parent_job_id or query.parent_job_id == attributes.parent_job_id or is_parent)
        and (not query.job_ids or attributes.job_id in query.job_ids)
        and (not query.states or not states.isdisjoint(query.states))
        and all(attributes.labels.get(name) == value for name, value in (query.labels or {}).items())
    )
