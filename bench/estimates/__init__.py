"""Estimates: how far those of the server are from what recorded runs took, beside what others do.

``python -m bench estimates --runs FILE`` replays recorded staged runs through the server's estimator, in virtual time:
each run is a job, whose events come when they came, and whose history are the runs of its kind that had ended before it
started. With ``--own`` it runs jobs at a real server instead.
"""

from bench.estimates.own_report import report_own
from bench.estimates.report import report

__all__ = ["report", "report_own"]
