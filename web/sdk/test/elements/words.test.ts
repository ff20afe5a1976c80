import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  CancellationSchema,
  FailureSchema,
  JobState,
  ServiceError,
  StageState,
  WaitingFor,
  WaitingSchema,
} from "@milepost/client";
import { describe, expect, test } from "vitest";
import { type Attempt, boundaryText } from "../../src/elements/model/attempts.js";
import { cancelSteps } from "../../src/elements/model/cancel-steps.js";
import { absenceText, brokenBy, chipOf, staleNotice } from "../../src/elements/model/connection-text.js";
import { endingOf } from "../../src/elements/model/endings.js";
import { absolute, age, clock, elapsed, took, when } from "../../src/elements/model/instants.js";
import { Keyboard } from "../../src/elements/model/keyboard.js";
import { announcedOf, milestone } from "../../src/elements/model/milestones.js";
import {
  amount,
  count,
  oneLine,
  ordinal,
  percent,
  printable,
  shortId,
} from "../../src/elements/model/plain-text.js";
import { SmoothBar } from "../../src/elements/model/smooth-bar.js";
import { isKnown } from "../../src/elements/model/state-words.js";
import { waitingCell, waitingText } from "../../src/elements/model/waiting-text.js";
import { workersText } from "../../src/elements/model/worker-text.js";
import { ConnectedWorkerSchema } from "../../src/gen/milepost/v1/admin_service_pb.js";
import { START, at, job, runningJob, stage } from "./jobs.js";

describe("times", () => {
  test("a duration is MM:SS, from an hour H:MM:SS, and never negative", () => {
    expect([-1, 0, 9.9, 61, 3599, 3600, 36_061].map(elapsed)).toEqual([
      "00:00",
      "00:00",
      "00:09",
      "01:01",
      "59:59",
      "1:00:00",
      "10:01:01",
    ]);
    expect([-1, 0.0004, 0.0141, 0.0994, 0.0996, 9.94, 9.96, 75].map(took)).toEqual([
      "0 ms",
      "0 ms",
      "14 ms",
      "99 ms",
      "0.1 s",
      "9.9 s",
      "00:09",
      "01:15",
    ]);
    expect([5, 65, 7300, 90_000].map(age)).toEqual(["5 s", "1 min", "2 h", "1 d"]);
  });

  test("a time has its zone where it is written out", () => {
    expect(clock(START)).toMatch(/^\d\d:04:05$/);
    expect(when(START, START + 1000)).toBe(clock(START));
    expect(when(START, START + 86_400_000)).toBe(absolute(START).slice(0, 16));
    expect(absolute(START)).toMatch(/^2026-01-0\d \d\d:04:05\.000 [+−]\d\d:\d\d$/);
  });
});

describe("numbers and names", () => {
  test("only what is complete has 100 %", () => {
    expect([0, 0.999, 1, 1.5, -1].map(percent)).toEqual(["0 %", "99 %", "100 %", "100 %", "0 %"]);
  });

  test("amounts have the unit of their total", () => {
    expect(amount(61_200_000, 130_400_000, "bytes")).toBe("61.2 of 130.4 MB");
    expect(amount(12, undefined, "files")).toBe("12 files");
    expect(amount(0, undefined, "files")).toBe("");
    expect(amount(1204, 2880, "s")).toBe("1,204 of 2,880 s");
    expect(amount(1e30, 1e30, "x")).toBe("1.00e+30 of 1.00e+30 x");
    expect(count(1, "event")).toBe("1 event");
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102].map(ordinal)).toEqual([
      "1st",
      "2nd",
      "3rd",
      "4th",
      "11th",
      "12th",
      "13th",
      "21st",
      "102nd",
    ]);
  });

  test("both ends of a long id stay", () => {
    expect(shortId("0123456789abcdef", 9)).toBe("0123…cdef");
    expect(shortId("short", 9)).toBe("short");
  });

  test("text that would reorder or hide text is shown as what it is", () => {
    expect(printable("a\u202egpj.exe\u0000\u200b\ud800")).toBe("a\\x202egpj.exe\\x00\\x200b\\xd800");
    expect(printable("tab\tline\nعربي 👍")).toBe("tab\tline\nعربي 👍");
    expect(oneLine("a\n  b", 10)).toBe("a b");
    expect(oneLine("x".repeat(70_000), 10)).toBe("xxxxxxxxx…");
    expect([9, 10, 11].map((limit) => oneLine("👍".repeat(70_000), limit))).toEqual([
      "👍👍👍👍…",
      "👍👍👍👍…",
      "👍👍👍👍👍…",
    ]);
  });
});

describe("the percentage of a job", () => {
  test("is 0 while none of its planned children has progressed, of which no event tells", () => {
    const plannedChildren = 3;
    const jobs = [
      runningJob({ plannedChildren }),
      runningJob(),
      runningJob({ plannedChildren, fraction: 0.2 }), // there are more than were planned
      runningJob({ plannedChildren, stages: [stage("a")] }),
      runningJob({ plannedChildren, state: JobState.FAILED }),
    ];
    expect(jobs.map(isKnown)).toEqual([true, false, false, false, false]);
  });
});

describe("a smooth bar", () => {
  test("it goes to what is known and no further, as fast as updates come, and never back", () => {
    const bar = new SmoothBar();
    expect(bar.update(0.2, 1, 0)).toEqual({ fraction: 0.2, seconds: 0 });
    expect(bar.update(0.4, 1, 1000)).toEqual({ fraction: 0.4, seconds: 1 });
    expect(bar.update(0.3, 1, 2000)).toEqual({ fraction: 0.4, seconds: 1 });
    expect(bar.update(0.5, 1, 60_000)).toEqual({ fraction: 0.5, seconds: 1.5 });
    expect(bar.update(7, 1, 60_001)).toEqual({ fraction: 1, seconds: 0.15 });
  });

  test("another attempt begins at once where it is", () => {
    const bar = new SmoothBar();
    bar.update(0.9, 1, 0);
    expect(bar.update(0, 2, 1000)).toEqual({ fraction: 0, seconds: 0 });
  });
});

describe("keys", () => {
  test("a sequence counts if its keys follow each other soon", () => {
    const keyboard = new Keyboard();
    expect(["j", "g", "l", "x", "/", "?"].map((key) => keyboard.press(key, 0))).toEqual([
      "next",
      undefined,
      "list",
      undefined,
      "search",
      "help",
    ]);
    keyboard.press("g", 0);
    expect(keyboard.press("l", 5000)).toBeUndefined();
    keyboard.press("g", 0);
    expect(keyboard.press("j", 10)).toBe("next");
  });
});

describe("the connection", () => {
  const chip = (...args: Parameters<typeof chipOf>) => chipOf(...args).text;

  test("it is told as it is", () => {
    expect(chip({ state: "live", error: "" }, START)).toBe("live");
    expect(chip({ state: "live", error: "", restarted: true }, START)).toBe("live · log restarted");
    expect(chip({ state: "catching-up", error: "", arrived: 1200, known: 8400 }, START)).toBe(
      "catching up 1,200 of 8,400",
    );
    const lost = {
      state: "reconnecting",
      error: "connection refused",
      retryAt: START + 2100,
      staleSince: START,
    } as const;
    expect(chip(lost, START)).toMatch(
      /^reconnecting in 3 s \(connection refused\) · stale since \d\d:04:05$/,
    );
    expect(chip({ state: "ended", error: "" }, START)).toBe("complete");
    // A screen reader reads out what happens, and no counting.
    expect(chipOf(lost, START).milestone).toBe(chipOf(lost, START + 1000).milestone);
    expect(chipOf({ state: "catching-up", error: "", arrived: 3, known: 9 }, START).milestone).toBe(
      "catching up",
    );
  });

  test("only a page that may be out of date says so", () => {
    expect(staleNotice({ state: "live", error: "" }, START)).toBe("");
    expect(staleNotice({ state: "reconnecting", error: "", staleSince: START }, START)).toContain(
      "It may have changed",
    );
  });

  test("what has not come says why, and whether it may still come; while it is being loaded there is nothing to say", () => {
    const text = (state: Parameters<typeof absenceText>[0]["state"], error = "") =>
      absenceText({ state, error });
    expect([text("connecting"), text("live"), text("polling", "no stream gets through")]).toEqual([
      "",
      "",
      "",
    ]);
    expect(text("connecting", "no connection")).toBe("cannot be shown yet: no connection");
    expect(text("refused", "not allowed")).toBe("cannot be shown: not allowed");
    expect(text("unauthenticated")).toBe("cannot be shown");
  });

  test("an error that ends a watch is told apart from a cut", () => {
    const refused = (code: Code, reason?: "JOB_NOT_FOUND") =>
      brokenBy(new ServiceError("no", { code, ...(reason ? { reason } : {}) }), START).state;
    expect(refused(Code.NotFound, "JOB_NOT_FOUND")).toBe("missing");
    expect(refused(Code.Unauthenticated)).toBe("unauthenticated");
    expect(refused(Code.PermissionDenied)).toBe("refused");
  });
});

describe("what a job waits for", () => {
  const queued = job({ state: JobState.QUEUED, submitTime: at(5) });

  test("it is told with who takes its kind, or that nobody does", () => {
    const waiting = (waitingFor: WaitingFor, workers = 0, nearestKinds: string[] = []) =>
      create(WaitingSchema, { waitingFor, workers, nearestKinds });
    const text = (...args: Parameters<typeof waiting>) => waitingText(queued, waiting(...args), START);
    expect(text(WaitingFor.TURN, 1)).toBe("waits for its turn · 1 worker takes transcribe");
    expect(text(WaitingFor.WORKER, 0, ["transcribe.v2"])).toBe(
      "no worker takes transcribe; nearest: transcribe.v2",
    );
    const counted = create(WaitingSchema, {
      waitingFor: WaitingFor.TURN,
      workers: 2,
      jobsAhead: 2,
      jobsWaiting: 5,
      startP50: { seconds: 130n, nanos: 0 },
    });
    expect(waitingText(queued, counted, START)).toBe(
      "3rd of 5 · likely to start in 02:10 · 2 workers take transcribe",
    );
    expect(text(WaitingFor.CLAIM)).toBe("waits to be claimed by the engine that runs it");
    const canvas = job({ state: JobState.QUEUED, plannedChildren: 3 });
    const claim = create(WaitingSchema, { waitingFor: WaitingFor.CLAIM });
    expect(waitingText(canvas, claim, START)).toBe("waits for its children");
    const retried = job({ state: JobState.QUEUED, retryTime: at(90) });
    expect(waitingText(retried, undefined, START)).toBe("next attempt in 01:30");
  });

  test("a row of a list says it shorter, and nothing until it is known", () => {
    const queued = { state: JobState.QUEUED, concurrencyKey: "room-blue" };
    const text = (init: MessageInitShape<typeof WaitingSchema>, of: Parameters<typeof job>[0] = {}) =>
      waitingCell(job({ ...queued, ...of }), create(WaitingSchema, init), START);
    expect(waitingCell(job(queued), undefined, START)).toBe("");
    expect(text({ waitingFor: WaitingFor.WORKER, nearestKinds: ["transcribe.v2"] })).toBe(
      "no worker takes transcribe; near: transcribe.v2",
    );
    expect(text({ waitingFor: WaitingFor.RECONNECT })).toBe("no worker takes transcribe yet");
    expect(text({ waitingFor: WaitingFor.TURN, jobsAhead: 3 })).toBe("3 jobs before it");
    expect(text({ waitingFor: WaitingFor.TURN })).toBe("next in the queue");
    expect(text({ waitingFor: WaitingFor.CLAIM })).toBe("waits to be claimed");
    expect(text({ waitingFor: WaitingFor.CLAIM }, { plannedChildren: 2 })).toBe("waits for its children");
    expect(text({ waitingFor: WaitingFor.CONCURRENCY }, { concurrencyLimit: 1 })).toBe(
      "concurrency key room-blue is taken by another job",
    );
    expect(text({ waitingFor: WaitingFor.CONCURRENCY }, { concurrencyLimit: 3 })).toBe(
      "concurrency key room-blue is taken by 3 jobs",
    );
    expect(text({ waitingFor: WaitingFor.TURN }, { retryTime: at(90) })).toBe("next attempt in 01:30");
  });
});

describe("cancelling", () => {
  const asked = { reason: "wrong file", requestedBy: "ann", requestTime: at(5), deadline: at(35) };
  const texts = (init: Parameters<typeof runningJob>[0]) =>
    cancelSteps(runningJob(init), START + 6000).map(({ text }) => text.replace(/\d\d:(?=\d\d:\d\d)/, "HH:"));

  test("each of the three steps is told as it happens", () => {
    const cancellation = create(CancellationSchema, asked);
    const state = JobState.CANCELLING;
    expect(texts({ state, cancellation })).toEqual([
      "requested HH:04:10 by ann",
      "not yet acknowledged by the worker",
      "stopping, by force in 00:29",
    ]);
    const heard = create(CancellationSchema, { ...asked, acknowledgeTime: at(6) });
    expect(texts({ state, cancellation: heard })).toEqual([
      "requested HH:04:10 by ann",
      "acknowledged HH:04:11",
      "stopping, by force in 00:29",
    ]);
    expect(texts({ state: JobState.CANCELLED, cancellation: heard, endTime: at(8) })).toEqual([
      "requested HH:04:10 by ann",
      "acknowledged HH:04:11",
      "stopped HH:04:13",
    ]);
  });

  test("force is told, and so is a job that ended first", () => {
    const forced = create(CancellationSchema, { ...asked, forced: true });
    expect(texts({ state: JobState.CANCELLED, cancellation: forced, endTime: at(35) }).at(-1)).toBe(
      "forced after 00:30: the worker did not stop in time",
    );
    const cancellation = create(CancellationSchema, asked);
    expect(texts({ state: JobState.SUCCEEDED, cancellation, endTime: at(7) }).at(-1)).toBe(
      "ended by itself first HH:04:12",
    );
  });
});

describe("ends", () => {
  test("a failure's message comes first, and each end says what one can do", () => {
    const failure = create(FailureSchema, { code: "DECODER_BROKEN", message: "It broke.", retryable: true });
    expect(endingOf(runningJob({ state: JobState.FAILED, failure, endTime: at(9) }))?.headline).toBe(
      "It broke.",
    );
    for (const state of [JobState.FAILED, JobState.CANCELLED, JobState.LOST]) {
      expect(endingOf(runningJob({ state, endTime: at(9) }))?.next).not.toBe("");
    }
    expect(endingOf(runningJob())).toBeUndefined();
    // The word stands beside the kind already.
    expect(endingOf(runningJob({ state: JobState.SUCCEEDED, endTime: at(9) }))).toBeUndefined();
    const message = "all of it";
    expect(endingOf(runningJob({ state: JobState.SUCCEEDED, message, endTime: at(9) }))).toEqual({
      headline: "succeeded",
      next: "",
    });
  });
});

describe("milestones", () => {
  test("states, ends of stages and quarters are told; ticks are not", () => {
    const known = { fractionKnown: true };
    const before = announcedOf(runningJob({ ...known, fraction: 0.2, stages: [stage("a")] }));
    const told = (init: Parameters<typeof runningJob>[0]) =>
      milestone(before, runningJob({ ...known, ...init }));
    expect(told({ fraction: 0.24, stages: [stage("a")] })).toBe("");
    expect(told({ fraction: 0.26, stages: [stage("a")] })).toBe("transcribe 25 %");
    expect(told({ fraction: 0.24, stages: [stage("a", { state: StageState.SUCCEEDED })] })).toBe(
      "stage a done",
    );
    expect(told({ state: JobState.SUCCEEDED })).toBe("transcribe succeeded");
    expect(told({ attempt: 2 })).toBe("transcribe running, attempt 2");
  });
});

describe("workers", () => {
  const worker = (jobCount: number, maxConcurrency: number, kinds = ["transcribe"]) =>
    create(ConnectedWorkerSchema, { jobCount, maxConcurrency, kinds });

  test("are counted, with the jobs that they have and could have", () => {
    expect(workersText([], "")).toBe("no worker is connected");
    expect(workersText([], "transcribe")).toBe("no worker takes transcribe");
    expect(workersText([worker(1, 1)], "transcribe")).toBe("1 worker takes transcribe · 1 of 1 place taken");
    expect(workersText([worker(1, 2), worker(0, 2)], "")).toBe("2 workers · 1 of 4 places taken");
    expect(workersText([worker(3, 2), worker(1, 1)], "")).toBe("2 workers · all 3 places taken");
    expect(workersText([worker(1, 0)], "")).toBe("1 worker · no room for jobs");
  });

  test("processes of engines have no places: they claim jobs", () => {
    const engine = worker(2, 0, []);
    const idle = worker(0, 0, []);
    expect(workersText([engine, engine], "")).toBe("4 jobs claimed by 2 processes");
    expect(workersText([idle], "")).toBe("1 process claims jobs");
    expect(workersText([idle, idle], "")).toBe("2 processes claim jobs");
    expect(workersText([engine, worker(1, 2)], "")).toBe(
      "1 worker · 1 of 2 places taken · 2 jobs claimed by 1 process",
    );
  });
});

describe("the boundary before an attempt's lines", () => {
  const start = new Date(2026, 0, 2, 14, 2, 11).getTime();

  test("it says which attempt starts when, and what the one before ended with", () => {
    const failed = { number: 1, failure: create(FailureSchema, { code: "WORKER_LOST" }) } as Attempt;
    const three = job({ retryPolicy: { maxAttempts: 3 } });
    expect(boundaryText(2, start, three, [failed])).toBe(
      "attempt 2 of 3, started 14:02:11, after WORKER_LOST",
    );
    // Before that is known, and where attempts were given back, so that there are more than are allowed.
    expect(boundaryText(4, start, three, [])).toBe("attempt 4 of 4, started 14:02:11");
  });
});
