"""Options of ``serve`` that bound what one principal uses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from milepost.server.access.limits.principal_limits import Limits
from milepost.server.cli.options import option, with_options

_DEFAULTS: Final = Limits()

_OPTIONS = (
    option(
        "--max-jobs-per-principal",
        type=click.IntRange(min=1),
        default=_DEFAULTS.jobs,
        help="Maximum number of jobs of one principal that have not ended.",
    ),
    option(
        "--max-input-per-principal",
        type=click.IntRange(min=1),
        default=_DEFAULTS.input >> 20,
        help="Maximum input of these jobs together, in MiB.",
    ),
    option(
        "--max-requests-per-principal",
        type=click.IntRange(min=1),
        default=_DEFAULTS.requests,
        help="Maximum number of calls of one principal a second, on average over 10 s.",
    ),
    option(
        "--max-events-per-principal",
        type=click.IntRange(min=1),
        default=_DEFAULTS.events,
        help="Maximum number of events that the workers of one principal report a second, on average over 10 s.",
    ),
)


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator with the options of limits; the command gets them as ``limits``."""

    @functools.wraps(command)
    def with_limits(
        *arguments: Any,
        max_jobs_per_principal: int,
        max_input_per_principal: int,
        max_requests_per_principal: int,
        max_events_per_principal: int,
        **options: Any,
    ) -> Any:
        limits = Limits(
            jobs=max_jobs_per_principal,
            input=max_input_per_principal << 20,
            requests=max_requests_per_principal,
            events=max_events_per_principal,
        )
        return command(*arguments, limits=limits, **options)

    return with_options(with_limits, _OPTIONS)
