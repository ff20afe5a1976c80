"""Limits of the contract, as the comments in the ``.proto`` files give them.

Lengths of text are in characters, sizes in bytes of the encoded message. The server refuses values over a limit; the
SDK truncates text visibly before it sends, replaces numbers with the nearest valid one and logs a warning, and raises
for names.
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
FAILURE_CODES: Final = 64
"""Of each list of a retry policy."""
FILTER_VALUES: Final = 100
UPDATES: Final = 1000
STAGES_PLANNED: Final = 20_000
"""In all plans of one report."""
ATTEMPTS: Final = 1000
CONCURRENCY: Final = 10_000
"""Jobs at one worker, and running jobs of one concurrency_key."""
AMOUNT: Final = 1e30
"""A weight, a total, a current, a workload. It is far above any real count, and so far below the largest double
(1.8e308) that the sum of all weights is always finite: a mean over weights of 1e308 would divide infinity by
infinity."""
CHILDREN: Final = 1_000_000_000
"""Planned children of one job."""
PRIORITY: Final = 1000
"""Priorities range from -PRIORITY to PRIORITY."""

INPUT_SIZE: Final = 1 * MIB
RESULT_SIZE: Final = 1 * MIB
JOB_SIZE: Final = 1536 * KIB
"""A job without its input. It leaves room for the largest input, result and failure, and for the numbers, times and
ends of all stages, within REQUEST_SIZE."""
STRUCT_DEPTH: Final = 30
"""Nesting of objects and lists. Protobuf parses 100 nested messages; an object takes three."""
CUSTOM_SIZE: Final = 256 * KIB
LOG_TEXT_SIZE: Final = 64 * KIB
LOG_FIELDS_SIZE: Final = 64 * KIB
FAILURE_DETAIL_SIZE: Final = 64 * KIB

REQUEST_SIZE: Final = 4 * MIB
"""One message to the server; gRPC's own default."""

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 1000
BATCH_EVENTS: Final = 10_000
STATUS_INTERVAL: Final = 10.0
"""Default in seconds, and the range that a watch may ask for."""
STATUS_INTERVAL_MIN: Final = 1.0
STATUS_INTERVAL_MAX: Final = 3600.0
GRACE_PERIOD: Final = 30.0
"""Default in seconds for a cancelled worker to stop, and the maximum that a caller may ask for."""
GRACE_PERIOD_MAX: Final = 86_400.0
SHARE_TTL: Final = 900.0
"""Default lifetime of a share token in seconds, and its bounds."""
SHARE_TTL_MIN: Final = 1.0
SHARE_TTL_MAX: Final = 604_800.0
SHARE_SCOPES: Final = ("read", "cancel")
"""What a share token may be for."""
MAX_EVENTS_MIN: Final = 100
"""Lower bound of ``Retention.max_events``."""
TIMEOUT_MIN: Final = 1.0
"""Seconds."""
NEAREST_KINDS: Final = 3
"""Suggestions for a kind that no worker takes."""
WORKER_JOB_IDS: Final = 100
"""Job ids listed of a connected worker."""
BACKUP_CHUNK: Final = 256 * KIB
"""Bytes of a backup in one message."""
BACKUP_STALL: Final = 60.0
"""Seconds in which the caller of a backup may read nothing."""
BACKUP_RATE_MIN: Final = 256 * KIB
"""Bytes per second that the caller of a backup has to read at least, on average, after that time."""
WORKERS_INTERVAL: Final = 5.0
"""Seconds between two announcements of a node's workers to the other nodes."""
RECONNECT_GRACE_MAX: Final = 15.0
"""Maximum in seconds of the time after a server's start for workers to reconnect: half a lease, and at most this."""
