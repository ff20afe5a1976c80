"""Bars in a job, of pandas, of a notebook and of rich; run with the server's address where those are installed."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

from milepost.client import SyncClient
from milepost.client.tqdm import auto, notebook, rich, tqdm

pandas: Any = import_module("pandas")


def apply() -> None:
    """Pandas has the same results with a bar as without."""
    frame = pandas.DataFrame({"a": [1, 1, 2, 2], "b": [1, 2, 3, 4]})
    tqdm.pandas(desc="applied")
    assert list(frame.progress_apply(sum, axis=1)) == [2, 3, 5, 6]
    tqdm.pandas(desc="grouped")
    assert list(frame.groupby("a")["b"].progress_apply(sum)) == [3, 7]
    tqdm.pandas(desc="mapped")
    assert list(frame["b"].progress_map(lambda value: 2 * value)) == [2, 4, 6, 8]


def main() -> None:
    """Everything in one job, whose stages are printed."""
    warnings.simplefilter("ignore")  # tqdm says of rich that it is experimental
    with SyncClient(sys.argv[1]) as client:
        with client.start("bars") as job:
            assert list(auto.tqdm("abc", desc="auto")) == ["a", "b", "c"]
            apply()
            bar: Any = notebook.tqdm("abc", desc="notebook")
            assert list(bar) == ["a", "b", "c"]
            left, widget, _ = bar.container.children
            assert (widget.value, widget.bar_style, left.value.strip("\u2007")) == (
                3,
                "success",
                "notebook:\u2007100%",
            )
            assert list(rich.tqdm("abc", desc="rich")) == ["a", "b", "c"]
        for stage in client.get(job.id).stages:
            print(f"{stage.title} {stage.current} of {stage.total}")


if __name__ == "__main__":
    main()
