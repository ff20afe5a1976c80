"""The job: its stages, their reports, and the handling of errors and cancellations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from milepost.client import JobContext, JobFailure, StageContext, Worker
from milepost.examples.archive.errors import ArchiveError
from milepost.examples.archive.files import OnBytes
from milepost.examples.archive.hashing import Digest, hash_bytes, hash_file, hash_files
from milepost.examples.archive.manifest import manifest, manifest_path
from milepost.examples.archive.pack import pack
from milepost.examples.archive.partial import Partial
from milepost.examples.archive.request import Request, parse
from milepost.examples.archive.scan import Tree, printable, scan
from milepost.examples.archive.verify import verify
from milepost.v1 import Stage

__all__ = ["archive", "worker"]

worker = Worker()
"""The worker of jobs of the kind "archive"."""

# The weights are roughly the stages' shares of the time.
_STAGES: Final = (
    Stage(stage_id="scan", title="Scan the directory", weight=1, unit="entries"),
    Stage(stage_id="hash", title="Hash every file", weight=2, unit="bytes"),
    Stage(stage_id="pack", title="Pack the archive", weight=12, unit="bytes"),
    Stage(stage_id="verify", title="Read the archive back", weight=4, unit="bytes"),
    Stage(stage_id="report", title="Write the manifest", weight=1),
)

# Maximum number of notes that a stage logs one by one; the manifest has them all.
_LOGGED_NOTES_LIMIT: Final = 20


@worker.job("archive")
def archive(job: JobContext) -> dict[str, object]:
    """Pack the directory ``path`` into the file ``output`` (``.tar.zst`` or ``.tar.xz``), with a manifest beside it.

    Both get their names only when they are complete and the archive was read back; a job that ends earlier leaves no
    files behind. The handler runs in a thread, and checks for a cancellation with every chunk.
    """
    job.plan(_STAGES)
    with _failures():
        request = parse(job.input)
        with Partial(request.output) as packed, Partial(manifest_path(request.output)) as listed:
            tree = _scan(job, request, packed, listed)
            digests = _hash(job, tree)
            _pack(job, request, tree, packed)
            found = _verify(job, request, tree, digests, packed)
            return _report(job, request, tree, digests, found, packed, listed)


def _scan(job: JobContext, request: Request, packed: Partial, listed: Partial) -> Tree:
    with _stage(job, "scan") as stage:

        def on_entry() -> None:
            job.raise_if_cancelled()
            stage.advance()

        ours = {path for file in (packed, listed) for path in (file.path, file.target)}
        tree = scan(request.root, leave_out=ours, exclude=request.exclude, on_entry=on_entry)
        stage.update(message=f"{len(tree.files):,} files")
        _log_notes(job, tree, 0, "scan")
    return tree


def _hash(job: JobContext, tree: Tree) -> dict[str, Digest]:
    with _stage(job, "hash", total=tree.size) as stage:
        logged = len(tree.notes)
        digests = hash_files(tree, _counting(job, stage))
        _log_notes(job, tree, logged, "hash")
    return digests


def _pack(job: JobContext, request: Request, tree: Tree, packed: Partial) -> None:
    with _stage(job, "pack", total=tree.size) as stage:
        logged = len(tree.notes)
        try:
            pack(tree, packed.file, request.form, _counting(job, stage))
            packed.file.flush()
        except OSError as error:
            raise packed.not_writable(error) from error
        _log_notes(job, tree, logged, "pack")


def _verify(
    job: JobContext, request: Request, tree: Tree, digests: Mapping[str, Digest], packed: Partial
) -> Digest:
    with _stage(job, "verify", total=tree.size) as stage:
        verify(packed.path, request.form, tree, digests, _counting(job, stage))
        return hash_file(packed.path)


def _report(
    job: JobContext,
    request: Request,
    tree: Tree,
    digests: Mapping[str, Digest],
    found: Digest,
    packed: Partial,
    listed: Partial,
) -> dict[str, object]:
    with _stage(job, "report"):
        content = manifest(request.output, found, tree, digests)
        try:
            listed.file.write(content)
        except OSError as error:
            raise listed.not_writable(error) from error
        job.raise_if_cancelled()
        listed.commit()
        packed.commit()
        described = hash_bytes(content)
        for name, file, digest, media_type in (
            ("archive", packed, found, request.form.media_type),
            ("manifest", listed, described, "application/json"),
        ):
            job.artifact(
                name,
                file.target.as_uri(),
                media_type=media_type,
                size_bytes=digest.size,
                sha256=digest.sha256,
                stage="report",
            )
    return {
        "archive": printable(str(packed.target)),
        "manifest": printable(str(listed.target)),
        "files": len(tree.files),
        "bytes": sum(digests[entry.name].size for entry in tree.files),
        "archive_bytes": found.size,
        "sha256": found.sha256,
        "manifest_sha256": described.sha256,
        "links": len(tree.links),
        "left_out": len(tree.left_out),
    }


@contextmanager
def _stage(job: JobContext, stage_id: str, total: float | None = None) -> Iterator[StageContext]:
    with job.stage(stage_id, total=total) as stage, _failures():
        job.raise_if_cancelled()
        yield stage


@contextmanager
def _failures() -> Iterator[None]:
    """Turn an ArchiveError into a failure of the job without a traceback."""
    try:
        yield
    except ArchiveError as error:
        raise JobFailure(error.code, str(error), retryable=error.retryable) from error


def _counting(job: JobContext, stage: StageContext) -> OnBytes:
    def on_bytes(n: int) -> None:
        job.raise_if_cancelled()
        stage.advance(n)

    return on_bytes


def _log_notes(job: JobContext, tree: Tree, logged: int, stage: str) -> None:
    """Log the notes after the first ``logged`` ones."""
    new = tree.notes[logged:]
    for note in new[:_LOGGED_NOTES_LIMIT]:
        outcome = "; left out" if note.left_out else ""
        name = printable(note.name)
        job.log(f"{name}: {note.reason}{outcome}", severity="warning", stage=stage, path=name)
    if len(new) > _LOGGED_NOTES_LIMIT:
        more = len(new) - _LOGGED_NOTES_LIMIT
        job.log(f"{more:,} more such entries; the manifest lists them", severity="warning", stage=stage)
