"""The manifest of an archive: the entries it contains, and those it leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from milepost.examples.archive.hashing import Digest
from milepost.examples.archive.scan import Tree, printable

__all__ = ["manifest", "manifest_path"]


def manifest_path(archive: Path) -> Path:
    """The path of an archive's manifest, beside it."""
    return archive.with_name(f"{archive.name}.manifest.json")


def manifest(path: Path, archive: Digest, tree: Tree, digests: Mapping[str, Digest]) -> bytes:
    """The manifest of the archive at ``path``, as JSON. In names, bytes that are not UTF-8 are escaped."""
    files = [
        {
            "path": printable(entry.name),
            "bytes": digests[entry.name].size,
            "sha256": digests[entry.name].sha256,
        }
        for entry in tree.files
    ]
    content = {
        "archive": {"path": printable(str(path)), "bytes": archive.size, "sha256": archive.sha256},
        "root": printable(str(tree.root)),
        "directories": len(tree.entries) - len(files) - len(tree.links),
        "files": files,
        "links": [{"path": printable(entry.name), "target": printable(entry.target)} for entry in tree.links],
        "left_out": [{"path": printable(note.name), "reason": note.reason} for note in tree.left_out],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
