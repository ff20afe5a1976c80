import { create } from "@bufbuild/protobuf";
import {
  EstimateSchema,
  type Job,
  type JobItem,
  JobSchema,
  JobState,
  type JobsItem,
  ServiceError,
  type WatchJobResponse,
  WatchJobResponseSchema,
  type WatchJobsResponse,
  WatchJobsResponseSchema,
  type WatchOptions,
} from "@milepost/client";
import { Code } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { Backoff } from "../src/watch/backoff.js";
import { JobCursor } from "../src/watch/job-cursor.js";
import { ESTIMATES_LIMIT } from "../src/watch/job-estimates.js";
import { JobsCursor } from "../src/watch/jobs-cursor.js";

type JobFrame = NonNullable<WatchJobResponse["frame"]["case"]>;
type JobsFrame = NonNullable<WatchJobsResponse["frame"]["case"]>;

function acceptJob(cursor: JobCursor, name: JobFrame, value: object): readonly JobItem[] {
  const frame = { case: name, value } as WatchJobResponse["frame"];
  return cursor.accept(create(WatchJobResponseSchema, { frame }));
}

function acceptJobs(cursor: JobsCursor, name: JobsFrame, value: object): readonly JobsItem[] {
  const frame = { case: name, value } as WatchJobsResponse["frame"];
  return cursor.accept(create(WatchJobsResponseSchema, { frame }));
}

function events(...sequences: number[]): object {
  return { events: sequences.map((sequence) => ({ jobId: "j", sequence: BigInt(sequence) })) };
}

/** A cursor whose stream has opened. */
function opened(options: WatchOptions = {}, more: object = {}): JobCursor {
  const cursor = new JobCursor("j", options);
  cursor.request(false);
  acceptJob(cursor, "opened", { epoch: "e", headSequence: 9n, cursor: options.after ?? 0n, ...more });
  return cursor;
}

function refusal(reason: "SEQUENCE_TRIMMED" | "EPOCH_CHANGED"): ServiceError {
  return new ServiceError("no", { reason, code: Code.OutOfRange });
}

describe("the cursor of one job", () => {
  test("resumes after the last event, in the epoch that it is of", () => {
    const cursor = opened();
    acceptJob(cursor, "events", events(1, 2, 3));

    expect(cursor.request(false)).toMatchObject({
      start: { case: "afterSequence", value: 3n },
      epoch: "e",
      noFollow: false,
    });
  });

  test.each([
    ["repeats", [1, 2, 2]],
    ["goes back", [1, 2, 1]],
    ["leaves one out", [1, 3]],
    ["begins too late", [2]],
  ])("refuses a stream that %s", (_, sequences) => {
    expect(() => acceptJob(opened(), "events", events(...sequences))).toThrow("came after");
  });

  test("lets events be missing that a filter hides, or that were thinned out", () => {
    const filtered = opened({ payloads: ["jobEnded"] });
    const thinned = opened({}, { thinnedSequence: 4n });

    expect(acceptJob(filtered, "events", events(2, 7)).length).toBe(0); // they are not what it asked for
    expect(filtered.sequence).toBe(7n);
    expect(acceptJob(thinned, "events", events(2, 5)).length).toBe(2);
    expect(() => acceptJob(thinned, "events", events(7))).toThrow("Event 7 came after 5.");
  });

  test("refuses a stream that claims to be further than what it sent", () => {
    const cursor = opened();
    acceptJob(cursor, "events", events(1));

    expect(() => acceptJob(cursor, "caughtUp", { sequence: 2n })).toThrow("stands at 2");
  });

  test("refuses a stream that does not begin with `opened`, or opens elsewhere", () => {
    expect(() => acceptJob(new JobCursor("j", {}), "events", events(1))).toThrow("not with opened");
    expect(() => opened({ after: 3n }, { cursor: 4n })).toThrow("not after 3");
  });

  test("skips frames that it does not know", () => {
    expect(opened().accept(create(WatchJobResponseSchema))).toStrictEqual([]);
  });

  test("starts over with a snapshot where it cannot go on, and says so, once", () => {
    const cursor = opened({ after: 3n });

    expect(cursor.recover(refusal("SEQUENCE_TRIMMED"))).toMatchObject([{ type: "gap", why: "trimmed" }]);
    expect(cursor.request(false)).toMatchObject({ start: { case: "fromSnapshot" }, epoch: "" });
    expect(cursor.recover(refusal("SEQUENCE_TRIMMED"))).toBeUndefined();
  });

  test("keeps the epoch of its sequence until the snapshot has come: whoever keeps both resumes by them", () => {
    const cursor = opened({ after: 3n });
    cursor.recover(refusal("EPOCH_CHANGED"));
    cursor.request(false);
    acceptJob(cursor, "opened", { epoch: "other", headSequence: 9n, cursor: 9n });

    expect([cursor.epoch, cursor.sequence, cursor.head]).toStrictEqual(["e", 3n, 9n]);
    acceptJob(cursor, "snapshot", { job: { lastSequence: 9n } });
    expect([cursor.epoch, cursor.sequence]).toStrictEqual(["other", 9n]);
  });

  test("a fetched job may say that nothing more comes: not if it is of a node that has yet to read so far", () => {
    const following = opened({ after: 3n });
    const atHead = opened({ after: 3n, follow: false });
    const states = [
      { lastSequence: 2n, state: JobState.RUNNING },
      { lastSequence: 3n, state: JobState.RUNNING },
      { lastSequence: 3n, state: JobState.SUCCEEDED },
    ];
    const said = states.flatMap((state) =>
      [following, atHead].map((cursor) => {
        const items = cursor.acceptJob(create(JobSchema, { epoch: "e", ...state }));
        return [items.length, cursor.hasLast, cursor.caughtUp];
      }),
    );

    expect(said).toStrictEqual([
      ...[
        [0, false, false],
        [0, false, false],
      ],
      ...[
        [0, false, true],
        [0, true, true],
      ],
      ...[
        [0, true, true],
        [0, true, true],
      ],
    ]);
  });

  test("throws where it cannot go on, if it is told to", () => {
    expect(opened({ onGap: "throw" }).recover(refusal("SEQUENCE_TRIMMED"))).toBeUndefined();
  });

  test("starts either after a cursor or by a name", () => {
    expect(() => new JobCursor("j", { after: 3n, start: "latest" })).toThrow(TypeError);
  });
});

describe("the cursor of many jobs", () => {
  function snapshot(jobId: string, lastSequence: number, position = 0): object {
    return { job: { jobId, lastSequence: BigInt(lastSequence) }, position: BigInt(position) };
  }

  /** Begin another stream of a cursor, with the current state of all jobs. */
  function list(cursor: JobsCursor): void {
    cursor.request(false);
    acceptJobs(cursor, "opened", { epoch: "e", headSequence: 9n });
  }

  test("lists again after a cut within the list, and tells of jobs only what is new", () => {
    const cursor = new JobsCursor(undefined, { start: "snapshot" });
    list(cursor);
    acceptJobs(cursor, "snapshot", snapshot("a", 3));
    acceptJobs(cursor, "snapshot", snapshot("b", 3));
    list(cursor);

    expect(acceptJobs(cursor, "snapshot", snapshot("a", 3))).toStrictEqual([]);
    acceptJobs(cursor, "caughtUp", { sequence: 9n });

    // "b" was deleted, or does not match any more: the watch asks which.
    expect(cursor.missing).toStrictEqual(["b"]);
    expect(cursor.acceptMissing("b", undefined)).toStrictEqual([{ type: "deleted", jobId: "b" }]);
    expect(cursor.missing).toStrictEqual([]);
    expect(cursor.request(false).start).toStrictEqual({ case: "afterPosition", value: 9n });
  });

  test("a list that a call has given is the last there is without following, but for the jobs that it misses", () => {
    const cursor = new JobsCursor(undefined, { start: "snapshot", follow: false });
    list(cursor);
    acceptJobs(cursor, "snapshot", snapshot("a", 3));
    cursor.acceptList([], true);
    const before = cursor.hasLast;
    cursor.acceptMissing("a", undefined);

    expect([before, cursor.hasLast]).toStrictEqual([false, true]);
  });

  test("skips the events that a snapshot has", () => {
    const cursor = new JobsCursor(undefined, { start: "snapshot" });
    list(cursor);
    acceptJobs(cursor, "snapshot", snapshot("j", 3));
    acceptJobs(cursor, "caughtUp", { sequence: 9n });
    const frame = { ...events(2, 3, 4), position: 10n };

    expect(acceptJobs(cursor, "events", frame)).toMatchObject([{ event: { sequence: 4n } }]);
  });

  test("refuses a stream whose position goes back", () => {
    const cursor = new JobsCursor(undefined, {});
    list(cursor);
    acceptJobs(cursor, "events", { position: 5n });

    expect(() => acceptJobs(cursor, "events", { position: 4n })).toThrow("went back from 5 to 4");
  });

  test("takes another store while it lists for a restart of the log", () => {
    const cursor = new JobsCursor(undefined, { start: "snapshot" });
    list(cursor);
    acceptJobs(cursor, "snapshot", snapshot("a", 3));
    cursor.request(false);

    const items = acceptJobs(cursor, "opened", { epoch: "other", headSequence: 1n });

    expect(items).toMatchObject([{ type: "gap", why: "restarted" }]);
  });
});

describe("the estimates of a watch of many jobs", () => {
  test("come to who asks at intervals, too: with the status at the end of a stream, or with a list", () => {
    const cursor = new JobsCursor(undefined, {});
    const replaying = new JobsCursor(undefined, { follow: false });
    const list = [
      { jobId: "a", epoch: "e", estimate: estimate(9) },
      { jobId: "b", epoch: "e" },
    ];
    const asked = [cursor.request(false), cursor.request(true), replaying.request(true)];
    cursor.acceptList(
      list.map((job) => create(JobSchema, job)),
      true,
    );

    expect(asked.map(({ statusInterval }) => statusInterval?.seconds)).toEqual([undefined, 10n, undefined]);
    expect(cursor.newEstimates).toBe(1);
    expect(cursor.estimates.of(running("a"))).toBeUndefined(); // it came with the job
    cursor.acceptList(
      list.map((job) => create(JobSchema, job)),
      true,
    );
    expect(cursor.estimates.of(running("a"))).toMatchObject(estimate(9));
  });

  const estimate = (seconds: number, madeAt = 5) => ({
    remainingP50: { seconds: BigInt(seconds), nanos: 0 },
    asOf: { seconds: BigInt(madeAt), nanos: 0 },
  });

  /** A job that runs since a time. */
  function running(jobId: string, since = 5): Job {
    const startTime = { seconds: BigInt(since) };
    return create(JobSchema, { jobId, state: JobState.RUNNING, startTime });
  }

  /** A cursor that has caught up, behind the snapshot of a job. */
  function caughtUp(): JobsCursor {
    const cursor = new JobsCursor(undefined, { start: "snapshot" });
    cursor.request(false);
    acceptJobs(cursor, "opened", { epoch: "e" });
    acceptJobs(cursor, "snapshot", { job: { jobId: "a", lastSequence: 3n, estimate: estimate(9) } });
    acceptJobs(cursor, "caughtUp", { sequence: 3n });
    return cursor;
  }

  test("are what jobs and statuses said last, of the attempt that runs", () => {
    const cursor = caughtUp();
    const own = { ...running("a"), estimate: create(EstimateSchema, estimate(9)) };
    const first = cursor.estimates.of(own);
    acceptJobs(cursor, "status", {
      cursor: 3n,
      jobEstimates: [{ jobId: "a", estimate: estimate(7) }, { jobId: "b" }],
    });

    expect(first).toMatchObject(estimate(9));
    expect(cursor.estimates.of(own)).toMatchObject(estimate(7));
    expect(cursor.estimates.of({ ...own, jobId: "b" })).toBeUndefined();
    expect(cursor.estimates.of({ ...own, state: JobState.QUEUED })).toBeUndefined();
    // It is tried again, within the second of the last status, and there is no estimate of that yet.
    expect(cursor.estimates.of(running("a", 6))).toBeUndefined();
    expect(cursor.newEstimates).toBe(1);
  });

  test("are kept within a bound, the latest ones", () => {
    const cursor = caughtUp();
    for (let status = 0; status < 5; status++) {
      const jobEstimates = Array.from({ length: 500 }, (_, job) => ({
        jobId: `${status}-${job}`,
        estimate: estimate(9),
      }));
      acceptJobs(cursor, "status", { cursor: 3n, jobEstimates });
    }

    expect(cursor.estimates.size).toBe(ESTIMATES_LIMIT);
    expect(cursor.estimates.of(running("4-0"))).toMatchObject(estimate(9));
    expect(cursor.estimates.of(running("0-0"))).toBeUndefined();
  });
});

test("of very many jobs that a list has no more each is missing", () => {
  const cursor = new JobsCursor(undefined, {});
  const { epoch, lastSequence } = create(JobSchema);
  const jobs = Array.from({ length: 150_000 }, (_, job) => ({ jobId: `${job}`, epoch, lastSequence }) as Job);
  cursor.acceptList(jobs, true);

  cursor.acceptList([], true);

  expect(cursor.missing.length).toBe(jobs.length);
});

test("the wait before another attempt doubles from 1 s to 30 s, half of it by chance", () => {
  const bounds = { initialMs: 1_000, maximumMs: 30_000 };
  const shortest = new Backoff(bounds, () => 0);
  const longest = new Backoff(bounds, () => 1);
  const waits = (backoff: Backoff) => Array.from({ length: 7 }, () => backoff.next());

  expect(waits(shortest)).toStrictEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  expect(waits(longest)).toStrictEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(longest.next(5_000)).toBe(35_000);
  longest.reset();
  expect(longest.next()).toBe(1_000);
});
