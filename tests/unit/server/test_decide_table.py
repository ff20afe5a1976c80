"""Every state of a job, and everything that may be asked of it: which events follow, or why none do.

The table is the specification. A row is what is asked, a column the state; a cell has the payloads of the events, with
the state that the job ends in where it ends, or the reason of the refusal. ``-`` is neither: nothing happens.
"""

from __future__ import annotations
