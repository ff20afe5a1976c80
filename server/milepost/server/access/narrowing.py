"""Narrow lists and watches of many jobs, in silence, to the jobs that exist for a principal."""

from __future__ import annotations

from typing import NamedTuple

from milepost.server.access.principal import Principal
from milepost.v1 import JobFilter


class Narrowed(NamedTuple):
    """The part of a filter that a principal narrows.

    Attributes:
        owners: The owners of the jobs; None for any owner, and empty where no job is left.
        parent_job_id: The parent of the jobs; empty for any.
        with_parent: Whether that parent is included.
    """

    owners: frozenset[str] | None
    parent_job_id: str
    with_parent: bool


def narrow(principal: Principal, wanted: JobFilter, *, with_parent: bool = False) -> Narrowed:
    """The jobs of the filter that exist for the principal.

    With ``with_parent`` the filter's ``parent_job_id`` includes the parent, as in WatchJobs.
    """
    owners = principal.owners
    if wanted.owner:
        owners = frozenset({wanted.owner} if principal.owns(wanted.owner) else ())
    parent_job_id = wanted.parent_job_id
    if principal.job_id:
        if not parent_job_id:
            parent_job_id, with_parent = principal.job_id, True
        elif parent_job_id != principal.job_id:
            owners = frozenset()
    return Narrowed(owners, parent_job_id, with_parent)
