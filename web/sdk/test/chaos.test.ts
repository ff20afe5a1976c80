import { type Job, JobState, Fold } from "@milepost/client";
import { equals } from "@bufbuild/protobuf";
import { JobSchema } from "@milepost/client";
import { expect, test } from "vitest";
import { seeded } from "../../testing/random.js";
import { startServer } from "../../testing/server.js";
import { until } from "../../testing/until.js";
import { type Protocol, type Setting, collect, oneTo, sequencesOf, setUp, startJob } from "./watching.js";

const nightly = process.env["NIGHTLY"] !== undefined;
const seeds = nightly ? Array.from({ length: 10 }, (_, index) => index + 1) : [1];
const faults = nightly ? 40 : 5;

/** What happens to a connection or to a server, and passes. */
const FAULTS: Record<string, (setting: Setting) => Promise<void>> = {
  cut: ({ proxy }) => {
    proxy.cut();
    return Promise.resolve();
  },
  stall: ({ proxy }) => {
    proxy.stall();
    return Promise.resolve();
  },
  refuse: async ({ proxy }) => {
    proxy.refuse = true;
    proxy.cut();
    await new Promise((resolve) => setTimeout(resolve, 100));
    proxy.refuse = false;
  },
  crash: async ({ server }) => {
    await server.stop("SIGKILL");
    await server.start();
  },
  drain: async ({ server }) => {
    await server.stop("SIGTERM");
    await server.start();
  },
};

test.each<[Protocol, number]>(
  seeds.flatMap((seed): [Protocol, number][] => [
    ["grpc", seed],
    ["connect", seed],
  ]),
)(
  "over %s, chaos with the seed %i: each event once and in order, and the fold is the server's",
  { timeout: nightly ? 600_000 : 300_000 },
  async (protocol, seed) => {
    const random = seeded(seed);
    const setting = await setUp(await startServer(), protocol);
    const stages = [{ stageId: "copy", total: 10_000 }];
    const work = await startJob(setting, { stages });
    const { jobId } = work.job;
    const options = { statusIntervalMs: 1000 };
    const one = collect(setting.client.watchJob(jobId, options));
    const many = setting.client.watchJobs({ jobIds: [jobId] }, options);
    const all = collect(many);
    let last: Job | undefined;
    const following = (async () => {
      for await (const job of setting.client.followJob(jobId, options)) {
        last = job;
      }
    })();

    await work.report({ case: "stageStarted", value: { stage: { stageId: "copy" } } });
    let reports = 3;
    for (let fault = 0; fault < faults; fault++) {
      for (let burst = 0; burst < 3; burst++) {
        const current = Math.floor(random() * 10_000);
        await work.report({ case: "stageProgressed", value: { stageId: "copy", current } });
        await work.log(10);
        reports += 11;
      }
      const names = Object.keys(FAULTS);
      await FAULTS[names[Math.floor(random() * names.length)] ?? "cut"]?.(setting);
    }
    await work.end({ state: JobState.SUCCEEDED, result: { ok: true } });
    await one.end;
    await following;
    await until(() => all.items.length > reports);
    many.close();
    await all.end;

    const expected = await setting.direct.getJob(jobId);
    const fold = new Fold();
    for (const item of one.items) {
      fold.apply(item.type === "event" ? item.event : expect.fail(item.type));
    }
    expect(sequencesOf(one.items)).toStrictEqual(oneTo(reports + 1));
    expect(sequencesOf(all.items)).toStrictEqual(oneTo(reports + 1));
    expectSameJob(fold.job, expected);
    expectSameJob(last ?? expect.fail("no job"), expected);
  },
);

/** Compare but for what only the server authors. */
function expectSameJob(actual: Job, expected: Job): void {
  const { epoch, firstSequence, thinnedSequence, estimate } = expected;
  expect(equals(JobSchema, { ...actual, epoch, firstSequence, thinnedSequence, estimate }, expected)).toBe(
    true,
  );
}
