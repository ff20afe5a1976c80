"""Options of calls by their names."""

from __future__ import annotations

from typing import Any

import pytest

from milepost.client import Client

_CONDITIONS = "job_ids, kinds, labels, owner, parent_job_id, states"


@pytest.mark.parametrize("method", ["list", "watch_jobs"])
async def test_an_unknown_condition_is_an_error(method: str) -> None:
    """The error names the ones that there are."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(TypeError) as raised:
            getattr(client, method)(parent="a")
    assert str(raised.value) == f"There is no option 'parent' for filtering jobs: use {_CONDITIONS}."


async def test_an_unknown_submit_option_is_an_error() -> None:
    """The error names the ones that there are, here as well."""
    async with Client("127.0.0.1:1") as client:
        wrong: dict[str, Any] = {"parent": "a"}
        with pytest.raises(TypeError, match=r"no option .parent. for submitting a job: use .*parent_job_id"):
            await client.submit("kind", **wrong)
