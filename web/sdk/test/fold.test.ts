import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  type JsonValue,
  create,
  createRegistry,
  equals,
  fromBinary,
  fromJson,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import {
  type Event,
  EventSchema,
  Fold,
  type Job,
  JobSchema,
  JobState,
  type Stage,
  StageSchema,
} from "@milepost/client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { inRepository } from "../../testing/repository.js";
import { ExactSum } from "../src/fold/exact-sum.js";

// Custom events may hold any message; a vector has one of this type.
const registry = createRegistry(DurationSchema);

interface Vector {
  description: string;
  events: Event[];
  job: Job;
}

function readVector(text: string): Vector {
  const { description, events, job } = JSON.parse(text) as {
    description: string;
    events: JsonValue[];
    job: JsonValue;
  };
  return {
    description,
    events: events.map((event) => fromJson(EventSchema, event, { ignoreUnknownFields: true, registry })),
    job: fromJson(JobSchema, job),
  };
}

const directory = inRepository("tests/contract/vectors");
const vectors = readdirSync(directory)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name, ...readVector(readFileSync(`${directory}/${name}`, "utf8")) }));

function fold(events: readonly Event[], job?: Job): Job {
  const state = new Fold(job);
  for (const event of events) {
    state.apply(event);
  }
  return state.job;
}

/** Compare as messages; on a difference, as JSON, which shows it. */
function expectSameJob(actual: Job, expected: Job, about = ""): void {
  if (!equals(JobSchema, actual, expected)) {
    expect(toJson(JobSchema, actual), about).toStrictEqual(toJson(JobSchema, expected));
    expect.fail(`The jobs differ, but not as JSON. ${about}`);
  }
}

describe("the vectors", () => {
  test("there are as many as the contract has", () => {
    expect(vectors.length).toBeGreaterThanOrEqual(60);
  });

  test.each(vectors)("$name", ({ description, events, job }) => {
    expectSameJob(fold(events), job, description);
  });

  test.each(vectors)("$name, from a snapshot anywhere", ({ events, job }) => {
    for (let cut = 0; cut < events.length; cut++) {
      const snapshot = fromBinary(JobSchema, toBinary(JobSchema, fold(events.slice(0, cut))));

      expectSameJob(fold(events.slice(cut), snapshot), job, `cut after ${cut}`);
    }
  });

  test.each(vectors)("$name, with all events twice", ({ events, job }) => {
    expectSameJob(fold(events, fold(events)), job);
  });
});

const nightly = process.env["NIGHTLY"] !== undefined;

test(
  "logs as the server writes them, and parts of them, make the same job as in Python",
  { timeout: nightly ? 600_000 : 300_000 },
  async () => {
    const { stdout } = await promisify(execFile)(
      inRepository(".venv/bin/python"),
      ["-m", "tests.contract.print_logs", nightly ? "1000" : "100"],
      { cwd: inRepository(""), maxBuffer: 1 << 30 },
    );
    const logs = stdout.trim().split("\n").map(readVector);

    expect(logs.length).toBeGreaterThanOrEqual(100);
    for (const { events, job } of logs) {
      expectSameJob(
        fold(events),
        job,
        JSON.stringify(events.map((event) => toJson(EventSchema, event, { registry }))),
      );
    }
  },
);

test("a payload of a later version counts only as a number", () => {
  const bytes = toBinary(EventSchema, create(EventSchema, { jobId: "j", sequence: 1n }));
  const field99 = [0x9a, 0x06, 0x02, 0x08, 0x01];
  const event = fromBinary(EventSchema, new Uint8Array([...bytes, ...field99]));

  expectSameJob(fold([event]), create(JobSchema, { lastSequence: 1n }));
});

test.each([
  ["a", "a"],
  ["a", "b"],
])("stages that are within each other do not hang it (%s in %s)", (first, second) => {
  const stage = (stageId: string, parentStageId: string) => ({ stageId, parentStageId, state: 2 });
  const stages = first === second ? [stage("a", "a")] : [stage("a", "b"), stage("b", "a")];
  const payloads: Event["payload"][] = [
    { case: "stageProgressed", value: progress("a", 0.5) },
    {
      case: "stageStarted",
      value: {
        $typeName: "milepost.v1.StageStarted",
        stage: create(StageSchema, { stageId: "c", parentStageId: "c" }),
      },
    },
    { case: "jobEnded", value: ended(JobState.SUCCEEDED) },
  ];

  const job = fold(numbered(payloads), create(JobSchema, { stages }));

  expect(job.stages.map((stage) => stage.endTime !== undefined)).toStrictEqual(job.stages.map(() => true));
});

test("a job that was read stays as it is, and shares with the next one what did not change", () => {
  const state = new Fold(create(JobSchema, { stages: chain(3).map((stage) => ({ ...stage, state: 2 })) }));
  const sibling = create(EventSchema, {
    sequence: 1n,
    payload: { case: "stageStarted", value: { stage: { stageId: "sibling" } } },
  });
  state.apply(sibling);
  const before = state.job;
  const copy = fromBinary(JobSchema, toBinary(JobSchema, before));

  state.apply(numbered([{ case: "stageProgressed", value: progress("s2", 0.5) }], 2)[0] ?? expect.fail());

  expectSameJob(before, copy);
  expect(state.job.stages.map((stage, index) => stage === before.stages[index])).toStrictEqual([
    false,
    false,
    false,
    true,
  ]);
  expect(state.job).toBe(state.job);
});

describe("the cost at 1,000 stages", () => {
  /** Numbers that were added to sums while `work` ran. */
  function additions(work: () => void): number {
    const add = vi.spyOn(ExactSum.prototype, "add");
    onTestFinished(() => {
      add.mockRestore();
    });
    work();
    return add.mock.calls.length;
  }

  test("of progress among a thousand siblings does not grow with their number", () => {
    const stages = Array.from({ length: 1000 }, (_, index) => create(StageSchema, { stageId: `s${index}` }));
    const state = submitted([
      create(StageSchema, { stageId: "outer" }),
      ...stages.map((stage) => ({ ...stage, parentStageId: "outer" })),
    ]);
    const events = stages.flatMap(({ stageId }): Event["payload"][] => [
      { case: "stageProgressed", value: progress(stageId, 0.25) },
      { case: "stageProgressed", value: progress(stageId, 0.5) },
    ]);

    const count = additions(() => {
      numbered(events, 2).forEach((event) => {
        state.apply(event);
      });
    });

    expect(state.job.stages[0]?.fraction).toBe(0.5);
    // To sum both levels up once, and then for each event the stage and the one around it.
    expect(count).toBeLessThanOrEqual(4 * 1001 + 4 * events.length);
  });

  test("of progress within a thousand stages is their number", () => {
    const state = submitted(chain(1000));
    const events = Array.from({ length: 10 }, (_, index): Event["payload"] => ({
      case: "stageProgressed",
      value: progress("s999", (index + 1) / 10),
    }));

    const count = additions(() => {
      numbered(events, 2).forEach((event) => {
        state.apply(event);
      });
    });

    expect(state.job.stages.map(({ fraction }) => fraction)).toStrictEqual(Array(1000).fill(1));
    expect(count).toBeLessThanOrEqual(4 * 1000 + 2 * 1000 * events.length);
  });
});

describe("exact sums", () => {
  test("are rounded once, whatever the order", () => {
    const numbers = [1e30, 1, 1e-30, -1e30, 0.1, 0.2, 2 ** -1074, 3e15];
    const sums = new Set<number>();
    for (let turn = 0; turn < numbers.length; turn++) {
      const sum = new ExactSum();
      [...numbers.slice(turn), ...numbers.slice(0, turn)].forEach((number) => {
        sum.add(number);
      });
      sums.add(sum.value);
    }

    expect([...sums]).toStrictEqual([3000000000000001.5]);
  });

  test("round halves by what lies below", () => {
    const sum = new ExactSum();
    [1, 2 ** -53, 2 ** -106].forEach((number) => {
      sum.add(number);
    });

    expect(sum.value).toBe(1 + 2 ** -52);
  });
});

function progress(stageId: string, fraction: number) {
  const event = create(EventSchema, {
    payload: {
      case: "stageProgressed",
      value: { stageId, current: fraction, fraction, jobFraction: fraction },
    },
  });
  return event.payload.case === "stageProgressed" ? event.payload.value : expect.fail();
}

function ended(state: JobState) {
  const event = create(EventSchema, { payload: { case: "jobEnded", value: { state } } });
  return event.payload.case === "jobEnded" ? event.payload.value : expect.fail();
}

function numbered(payloads: readonly Event["payload"][], first = 1): Event[] {
  return payloads.map((payload, index) => ({
    ...create(EventSchema, { sequence: BigInt(first + index), time: { seconds: 1n } }),
    payload,
  }));
}

function chain(length: number): Stage[] {
  return Array.from({ length }, (_, index) =>
    create(StageSchema, { stageId: `s${index}`, parentStageId: index === 0 ? "" : `s${index - 1}` }),
  );
}

function submitted(stages: Stage[]): Fold {
  const state = new Fold();
  state.apply(
    create(EventSchema, { sequence: 1n, payload: { case: "jobSubmitted", value: { job: { stages } } } }),
  );
  return state;
}
