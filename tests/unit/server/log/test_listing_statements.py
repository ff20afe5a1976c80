"""Lists of jobs read ranges of indexes, however many jobs there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest

from milepost.server.log.event_log import Query
from milepost.server.log.sqlite import statements
from milepost.server.log.sqlite.schema import migrate


def plan(query: Query, common: Sequence[str] = ()) -> list[str]:
    """SQLite's query plan."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        statement, parameters = statements.listing(query, common)
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]


@pytest.mark.parametrize(
    ("query", "columns", "ranges"),
    [
        (Query(owners=["o"], after=7), "owner=?", 1),
        (Query(kinds=["k"], after=7), "kind=?", 1),
        (Query(kinds=["k", "l"], after=7), "kind=?", 2),
        (Query(states=[2, 4, 5], after=7), "state=?", 3),
        (Query(owners=["o"], kinds=["k", "l"], after=7), "owner=? AND kind=?", 2),
        (Query(owners=["o"], states=[2, 4], after=7), "owner=? AND state=?", 2),
        (Query(kinds=["k", "l"], states=[2, 4, 5], after=7), "kind=? AND state=?", 6),
        (Query(owners=["o", "p"], states=[2, 4], after=7), "owner=? AND state=?", 4),
        (Query(owners=["o"], kinds=["k"], states=[2, 4], after=7), "owner=? AND kind=? AND state=?", 2),
    ],
    ids=str,
)
def test_no_job_is_gone_through_that_is_not_listed(query: Query, columns: str, ranges: int) -> None:
    """Each kind and state is a range of an index that ends with the key, so that nothing is sorted."""
    steps = plan(query)

    searched = [step.partition("(")[2] for step in steps if step.startswith(("SEARCH", "SCAN"))]
    assert searched == [f"{columns} AND job_key<?)"] * ranges
    assert not [step for step in steps if "TEMP B-TREE" in step]


def test_all_jobs_are_listed_in_the_order_of_the_table() -> None:
    """The first page reads the last rows."""
    assert plan(Query()) == ["SCAN jobs"]


def test_many_kinds_and_states_are_one_select() -> None:
    """SQLite limits the number of selects."""
    statement, parameters = statements.listing(Query(kinds=[*map(str, range(100))], states=[2, 4]))

    assert (statement.count("SELECT"), len(parameters)) == (2, 203)


def test_jobs_of_a_common_label_are_not_collected_first() -> None:
    """Newest first, each job is checked for the label; few have others."""
    query = Query(labels={"env": "prod", "team": "7"}, states=[2, 4])

    assert [step for step in plan(Query(labels={"env": "prod"}), ["env"]) if "LIST" in step] == []
    assert len([step for step in plan(query, ["env"]) if "LIST SUBQUERY" in step]) == 2
    assert len([step for step in plan(query) if "LIST SUBQUERY" in step]) == 4
