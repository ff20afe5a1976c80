"""The last line of a live picture: how the watch is connected."""

from __future__ import annotations

from rich.text import Text

from milepost.client._cli.rendering.canvas import Canvas, single_line
from milepost.client._cli.rendering.status_text import connection_text
from milepost.client._watch.connection_state import Connection

__all__ = ["connection_row", "is_over"]


def is_over(connection: Connection, canvas: Canvas) -> bool:
    """Whether a connection is no longer what it says, as the watch has stopped; one that was lost stays in sight."""
    return canvas.stopped and connection.state == "live"


def connection_row(connection: Connection, waited: float, canvas: Canvas, behind: int = 0) -> Text:
    """Draw the state of a connection; see `connection_text`."""
    words = connection_text(connection, waited, behind)
    if connection.state == "live":
        return single_line(Text.assemble((f"{canvas.marks.running} {words}", "green")))
    return single_line(Text.assemble((f"{canvas.marks.pending} {words}", "yellow")))
