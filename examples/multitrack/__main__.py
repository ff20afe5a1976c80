"""One command for all of it: a server with pages, an engine, a recording, and what becomes of it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from examples.multitrack.processes import engine_environment, engine_process, server_process
from examples.multitrack.recording import Recording
from examples.multitrack.sample import LONG, SHORT, make_recording
from examples.multitrack.subscriber import clock_time, lines_of
from examples.multitrack.wrapping import wrapped
from milepost.client import Client
from milepost.client.engines.labels import SHADOW_ID
from milepost.client.errors import JobError, MilepostError


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.multitrack",
        description="Turn a recording of several tracks into a transcript, and show how.",
        epilog="MILEPOST_ENGINE=worker|celery|hatchet runs it under that engine, and MILEPOST_SHADOW_ENGINE under "
        "another one beside it.",
    )
    parser.add_argument(
        "--recording", type=Path, help="directory of a recording (default: one is synthesised)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="directory for what is made (default: a temporary one, removed at the end)",
    )
    parser.add_argument("--short", action="store_true", help="synthesise a recording of 13 seconds")
    parser.add_argument("--webhook-url", default="", help="where to send the transcript")
    parser.add_argument("--chat-url", default="", help="where to send a message about it")
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> int:
    # Its import raises ValueError where the environment names an engine that there is not.
    module = importlib.import_module("examples.multitrack.pipeline")
    pipeline, submit_recording = module.pipeline, module.submit_recording
    if arguments.recording is not None:
        Recording.in_directory(arguments.recording).check_files(arguments.recording)
    if arguments.output is not None:
        arguments.output.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="multitrack-")))
        runs = arguments.output or scratch / "runs"
        recording = arguments.recording or scratch / "recording"
        if arguments.recording is None:
            _say("recording", "three voices are synthesised")
            await asyncio.to_thread(make_recording, recording, SHORT if arguments.short else LONG)
        ready = await stack.enter_async_context(server_process(scratch))
        os.environ["MILEPOST_ADDRESS"] = ready["address"]
        environment = {"MILEPOST_ADDRESS": ready["address"]}
        for engine in dict.fromkeys(filter(None, (pipeline.engine, pipeline.shadow_engine))):
            leading, wait_until_ready = await stack.enter_async_context(engine_environment(engine, scratch))
            os.environ.update(leading)
            await stack.enter_async_context(engine_process(engine, scratch, {**environment, **leading}))
            await asyncio.to_thread(wait_until_ready, len(pipeline.kinds))
            _say("engine", engine)
        job = await submit_recording(
            recording, runs, webhook_url=arguments.webhook_url, chat_url=arguments.chat_url
        )
        _say("job", job.job_id)
        _say("page", f"{ready['http']}/jobs/{job.job_id}")
        async with Client(ready["address"]) as client:
            async for line in lines_of(client, job.job_id):
                _print(f"  {line}")
            try:
                _show(await client.result(job.job_id))
                if pipeline.shadow_engine is not None:
                    await client.result(f"{job.job_id}{SHADOW_ID}")
                    await _compare(job.job_id)
            except JobError as error:
                print(error, file=sys.stderr)
                return 1
        await _wait_for_enter()
    return 0


async def _compare(job_id: str) -> None:
    """Print what `milepost diff` says of the job and its shadow; where files are, and what only a primary deletes,
    differs by nature.
    """
    print(flush=True)
    ignored = ("--ignore", "artifacts.*.uri", "--ignore", "events.CONSENT")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "milepost.client", "diff", job_id, *ignored)
    )
    await process.wait()


def _say(what: str, text: str) -> None:
    _print(f"{what:<12}{text}")


def _print(line: str) -> None:
    print(wrapped(line, shutil.get_terminal_size().columns), flush=True)


def _show(result: Mapping[str, Any]) -> None:
    print()
    for text in (result["title"], result["summary"]):
        _print(text)
        print()
    for turn in result["transcript"]:
        _print(f"{clock_time(turn['start']):>6}  {turn['speaker']:<8}{turn['text']}")
    print()
    for topic in result["topics"]:
        _say("topic", f"{clock_time(topic['start'])}–{clock_time(topic['end'])}  {topic['title']}")
    if errors := result["word_errors"]:
        _say("word errors", f"{errors['rate']:.1%} of {errors['words']} words that were really said")
    withheld = ", ".join(result["consent"]["withheld"]) or "nobody"
    _say("consent", f"the audio of {withheld} is deleted, and no copy of it was found")


async def _wait_for_enter() -> None:
    """Leave the page open for somebody who sits at the terminal."""
    if not sys.stdin.isatty():
        return
    print("\nThe page stays until you press Enter.", flush=True)
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, pressed.set)
    await pressed.wait()
    loop.remove_reader(sys.stdin)


def main() -> int:
    """Run it; Ctrl-C ends everything."""
    try:
        return asyncio.run(_main(_arguments()))
    except KeyboardInterrupt:
        return 130
    except (MilepostError, OSError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
