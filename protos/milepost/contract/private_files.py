"""Files that nobody but their owner may read: jobs' inputs and results, and the tokens that prove a lease."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_directory(path: Path) -> bool:
    """Make the directory, and its parents, where it is not there; nobody but its owner gets in, whatever the umask.

    Returns whether that is so, as ``tighten`` does. Raises OSError.
    """
    path.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    return tighten(path)


def tighten(path: Path) -> bool:
    """Take a file or a directory away from its group and from others. Returns whether they have no access to it now.

    A symbolic link stays as it is, since others may have put it there; so do a directory that is meant for all, as /tmp
    is, and whatever belongs to another user. Raises OSError.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:  # somebody has deleted it meanwhile
        return True
    if stat.S_ISLNK(found.st_mode) and path.is_dir():
        found = path.stat()  # a directory that is named by way of a link is meant all the same
    mode = stat.S_IMODE(found.st_mode)
    if not mode & _OTHERS:
        return True
    if stat.S_ISLNK(found.st_mode) or mode & stat.S_ISVTX or os.geteuid() not in (0, found.st_uid):
        return False
    path.chmod(mode & ~_OTHERS)
    return True
