"""The bounds of the contract, as the comments in the ``.proto`` files give them.

Lengths of text are in characters, sizes in bytes of the encoded message. The server refuses what is over; the SDK
clips text visibly before it sends, reports values as near as can be with a warning, and raises for names.
"""

from __future__ import annotations

import re
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

JOB_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
KIND: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
LABEL_KEY: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,62}")
STAGE_ID: Final = re.compile(r"[A-Za-z0-9._/-]{1,128}")
FAILURE_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
CUSTOM_TYPE: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]{0,127}")
SHA256: Final = re.compile(r"[0-9a-f]{64}")

NAME_LENGTH: Final = 128
"""Of an owner, a request_id, a worker_id, an sdk, a requested_by, a concurrency_key, an instance."""
LABEL_VALUE_LENGTH: Final = 256
TITLE_LENGTH: Final = 256
UNIT_LENGTH: Final = 32
MESSAGE_LENGTH: Final = 4096
ARTIFACT_NAME_LENGTH: Final = 256
ARTIFACT_URI_LENGTH: Final = 2048

LABELS: Final = 64
STAGES: Final = 1000
ARTIFACTS: Final = 1000
RETRYABLE_CODES: Final = 64
FILTER_VALUES: Final = 100
UPDATES: Final = 1000
ATTEMPTS: Final = 1000
CONCURRENCY: Final = 10_000
"""Jobs at a worker, and jobs of one concurrency_key."""
AMOUNT: Final = 1e30
"""Of what is counted or weighed: a weight, a total, a current, a workload. It is far above what anybody counts, and so
far below the largest double (1.8e308) that the sum of all weights is always a number: a mean over weights of
1e308 would divide infinity by infinity."""
CHILDREN: Final = 1_000_000_000
"""Planned for one job."""
PRIORITY: Final = 1000
"""Either way."""

INPUT_SIZE: Final = 1 * MIB
RESULT_SIZE: Final = 1 * MIB
JOB_SIZE: Final = 1536 * KIB
"""Of a job without its input, to which its worker adds. It leaves room for the largest input, result and failure, and
for the numbers, times and ends of all stages, within REQUEST_SIZE."""
STRUCT_DEPTH: Final = 30
"""Of objects and lists within each other. Protobuf parses 100 messages within each other; an object takes three."""
CUSTOM_SIZE: Final = 256 * KIB
LOG_TEXT_SIZE: Final = 64 * KIB
LOG_FIELDS_SIZE: Final = 64 * KIB
FAILURE_DETAIL_SIZE: Final = 64 * KIB

REQUEST_SIZE: Final = 4 * MIB
"""Of one message to the server, gRPC's own default."""

PAGE_SIZE: Final = 50
PAGE_SIZE_MOST: Final = 1000
BATCH_EVENTS: Final = 10_000
STATUS_INTERVAL: Final = 10.0
"""Seconds; and the least and the most that a watch may ask for."""
STATUS_INTERVAL_LEAST: Final = 1.0
STATUS_INTERVAL_MOST: Final = 3600.0
GRACE_PERIOD: Final = 30.0
"""Seconds that a worker has to stop; and the most that may be asked for."""
GRACE_PERIOD_MOST: Final = 86_400.0
MAX_EVENTS_LEAST: Final = 100
"""Of a job's own limit on how many events are kept."""
TIMEOUT_LEAST: Final = 1.0
"""Seconds."""
NEAREST_KINDS: Final = 3
"""Of a kind that no worker takes."""
WORKER_JOB_IDS: Final = 100
"""Of a connected worker's jobs."""
WORKERS_INTERVAL: Final = 5.0
"""Seconds between two times that a node tells the others of its workers."""
RECONNECT_GRACE_MOST: Final = 15.0
"""Seconds after a server's start for which missing workers may be reconnecting: half a lease, and at most this."""
