"""Restrict files to their owner: they hold jobs' inputs and results, and lease tokens."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_directory(path: Path) -> bool:
    """Make the directory and its parents if missing, accessible only to the owner, whatever the umask.

    Returns whether only the owner has access, as ``tighten`` does. Raises OSError.
    """
    path.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    return tighten(path)


def tighten(path: Path) -> bool:
    """Remove all access of group and others to a file or directory; return whether they have none now.

    Symbolic links are left alone, since another user may have made them; so are shared directories (sticky bit, such as
    /tmp) and files of other users. Raises OSError.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:  # deleted meanwhile
        return True
    if stat.S_ISLNK(found.st_mode) and path.is_dir():
        found = path.stat()  # a link to a directory stands for the directory
    mode = stat.S_IMODE(found.st_mode)
    if not mode & _OTHERS:
        return True
    if stat.S_ISLNK(found.st_mode) or mode & stat.S_ISVTX or os.geteuid() not in (0, found.st_uid):
        return False
    path.chmod(mode & ~_OTHERS)
    return True
