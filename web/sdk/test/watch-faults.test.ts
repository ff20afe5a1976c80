import { type Connection, Dispatch, JobState, hasReason } from "@milepost/client";
import { describe, expect, test } from "vitest";
import { IMPATIENT } from "../../testing/impatient.js";
import type { TcpProxy } from "../../testing/tcp-proxy.js";
import { sharedServer, startServer } from "../../testing/server.js";
import { until } from "../../testing/until.js";
import { type Protocol, collect, oneTo, sequencesOf, setUp, startJob, statesOf } from "./watching.js";

const protocols: Protocol[] = ["grpc", "connect"];

describe.each(protocols)("over %s", (protocol) => {
  const server = sharedServer("--sweep-interval", "1s");

  test("each event comes once and in order across cuts", async () => {
    const setting = await setUp(server, protocol);
    const work = await startJob(setting);
    const connections: Connection[] = [];
    const watch = setting.client.watchJob(work.job.jobId, { onConnection: (now) => connections.push(now) });
    const { items, end } = collect(watch);

    for (let cut = 1; cut <= 3; cut++) {
      await work.log(50);
      await until(() => items.length >= cut * 50);
      setting.proxy.cut();
    }
    await work.end();
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(153));
    const lost = connections.filter(({ state }) => state === "reconnecting");
    expect(lost.length).toBeGreaterThanOrEqual(3);
    expect(lost.every(({ staleSince, retryAt, error }) => staleSince && retryAt && error)).toBe(true);
    expect(connections.at(-1)?.state).toBe("ended");
  });

  test("each event comes once and in order while the connection is cut all the time", async () => {
    const setting = await setUp(server, protocol);
    const work = await startJob(setting);
    const { items, end } = collect(setting.client.watchJob(work.job.jobId));
    const cutting = setInterval(() => {
      setting.proxy.cut();
    }, 40);

    for (let line = 0; line < 30; line++) {
      await work.log(10);
    }
    clearInterval(cutting);
    await work.end();
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(303));
  });

  test("the events of many jobs come once and in order across cuts", async () => {
    const setting = await setUp(server, protocol);
    const kind = `many-${protocol}`;
    const works = await Promise.all([1, 2, 3].map(() => startJob(setting, { kind })));
    const watch = setting.client.watchJobs({ kinds: [kind] });
    const { items, end } = collect(watch);

    for (let cut = 0; cut < 3; cut++) {
      await Promise.all(works.map((work) => work.log(20)));
      await until(() => items.length >= 30 * cut);
      setting.proxy.cut();
    }
    await Promise.all(works.map((work) => work.end()));
    await until(() => items.length >= 3 * 63);
    watch.close();
    await end;

    for (const { job } of works) {
      const own = items.filter((item) => item.type === "event" && item.event.jobId === job.jobId);
      expect(sequencesOf(own)).toStrictEqual(oneTo(63));
    }
    expect(items.length).toBe(3 * 63);
  });

  test("the deletion of a job while the connection is cut is told", async () => {
    const setting = await setUp(server, protocol);
    const kind = `deleted-${protocol}`;
    const first = await startJob(setting, { kind });
    const second = await startJob(setting, { kind });
    const watch = setting.client.watchJobs({ kinds: [kind] }, { start: "snapshot" });
    const { items, end } = collect(watch);
    await until(() => watch.caughtUp);
    await first.end();
    await until(() => items.length === 3);

    setting.proxy.refuse = true;
    setting.proxy.cut();
    await setting.direct.deleteJob(first.job.jobId);
    await second.log(1);
    setting.proxy.refuse = false;
    await until(() => items.length === 5);
    watch.close();
    await end;

    expect(items.map(({ type }) => type)).toStrictEqual([
      "snapshot",
      "snapshot",
      "event",
      "deleted",
      "event",
    ]);
    expect(items[3]).toStrictEqual({ type: "deleted", jobId: first.job.jobId });
  });

  test("events that were dropped with a deleted job are a gap, and all jobs come again", async () => {
    const setting = await setUp(server, protocol);
    const kind = `dropped-${protocol}`;
    const first = await startJob(setting, { kind });
    const second = await startJob(setting, { kind });
    const watch = setting.client.watchJobs({ kinds: [kind] }, { start: "snapshot" });
    const { items, end } = collect(watch);
    await until(() => watch.caughtUp);

    setting.proxy.refuse = true;
    setting.proxy.cut();
    await first.end();
    await setting.direct.deleteJob(first.job.jobId);
    setting.proxy.refuse = false;
    await until(() => items.length === 4);
    watch.close();
    await end;

    expect(items.map(({ type }) => type)).toStrictEqual(["snapshot", "snapshot", "gap", "snapshot"]);
    expect(items[3]).toMatchObject({ job: { jobId: second.job.jobId } });
  });

  test("dropped events are a gap, followed by the current state", async () => {
    const setting = await setUp(server, protocol);
    const work = await startJob(setting, { retention: { maxEvents: 100n } });
    await work.log(300);
    await until(async () => (await setting.direct.getJob(work.job.jobId)).firstSequence > 2n);
    await work.end();

    const { items, end } = collect(setting.client.watchJob(work.job.jobId, { after: 1n }));
    await end;
    const failing = collect(setting.client.watchJob(work.job.jobId, { after: 1n, onGap: "throw" }));

    expect(items.map(({ type }) => type)).toStrictEqual(["gap", "snapshot"]);
    expect(items[0]).toMatchObject({ why: "trimmed" });
    expect(items[1]).toMatchObject({ job: { lastSequence: 303n } });
    await expect(failing.end).rejects.toMatchObject({ reason: "SEQUENCE_TRIMMED" });
  });

  test("a half-open connection counts as lost after 2.5 status intervals of silence", async () => {
    const setting = await setUp(server, protocol);
    const work = await startJob(setting);
    const { items, end } = collect(setting.client.watchJob(work.job.jobId, { statusIntervalMs: 1000 }));
    await until(() => items.length === 2);

    setting.proxy.stall();
    await work.end();
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(3));
  });

  test("a consumer that stalls holds the stream back", async () => {
    const setting = await setUp(server, protocol);
    const work = await startJob(setting);
    for (let part = 0; part < 6; part++) {
      await work.log(300, "x".repeat(10_000)); // 18 MB in all
    }
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let count = 0;
    const reading = (async () => {
      for await (const item of setting.client.watchJob(work.job.jobId)) {
        count += item.type === "event" ? 1 : 0;
        await released;
      }
    })();
    await until(() => count === 1);
    await bytesAtRest(setting.proxy);

    expect(setting.proxy.bytesReceived).toBeLessThan(10_000_000);

    release();
    await work.end();
    await reading;
    expect(count).toBe(1803);
  });

  test("leaving the loop, closing the watch, and aborting its signal end the stream", async () => {
    const setting = await setUp(server, protocol);
    const work = await startJob(setting);
    const { jobId } = work.job;

    for await (const item of setting.client.watchJob(jobId)) {
      expect(item.type).toBe("event");
      break;
    }
    const closed = setting.client.watchJob(jobId);
    const closing = collect(closed);
    await until(() => closed.caughtUp);
    closed.close();
    await closing.end;
    const controller = new AbortController();
    const aborted = setting.client.watchJob(jobId, { signal: controller.signal });
    const aborting = collect(aborted);
    await until(() => aborted.caughtUp);
    controller.abort(new Error("enough"));

    await expect(aborting.end).rejects.toThrow("enough");
    expect(sequencesOf(closing.items)).toStrictEqual(oneTo(2));
    // Another watch goes on at the cursor of one that is over.
    const resumed = collect(setting.client.watchJob(jobId, { after: closed.sequence, epoch: closed.epoch }));
    await work.end();
    await resumed.end;
    expect(sequencesOf(resumed.items)).toStrictEqual([3n]);
  });

  test("with a later job of the same id the log restarts: a gap, and its current state", async () => {
    const setting = await setUp(server, protocol);
    const jobId = `again-${protocol}`;
    const job = { jobId, kind: "again", dispatch: Dispatch.EXTERNAL };
    await setting.direct.submitJob(job);
    const watch = setting.client.watchJob(jobId);
    const { items, end } = collect(watch);
    await until(() => watch.caughtUp);
    const { epoch } = watch;

    setting.proxy.refuse = true;
    setting.proxy.cut();
    await setting.direct.cancelJob(jobId);
    await setting.direct.deleteJob(jobId);
    await setting.direct.submitJob({ ...job, kind: "other" });
    await setting.direct.cancelJob(jobId);
    setting.proxy.refuse = false;
    await end;

    expect(items.map(({ type }) => type)).toStrictEqual(["event", "gap", "snapshot"]);
    expect(items[1]).toMatchObject({ why: "restarted" });
    expect(items[2]).toMatchObject({ job: { kind: "other", lastSequence: 3n } });
    expect(watch.epoch).not.toBe(epoch);
  });

  test("a consumer that is slow gets the newest state of the job next, and its end", async () => {
    const setting = await setUp(server, protocol);
    const work = await startJob(setting, { stages: [{ stageId: "copy", total: 1000 }] });
    await work.report({ case: "stageStarted", value: { stage: { stageId: "copy" } } });
    const seen: number[] = [];
    for await (const job of setting.client.followJob(work.job.jobId)) {
      seen.push(job.fraction);
      if (seen.length === 1) {
        for (let current = 1; current <= 200; current++) {
          await work.report({ case: "stageProgressed", value: { stageId: "copy", current } });
        }
        await work.end({ state: JobState.SUCCEEDED });
      }
    }

    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(1);
    expect(seen.length).toBeLessThan(200);
  });

  test("the first connection has to succeed in time", async () => {
    const setting = await setUp(server, protocol);
    setting.proxy.refuse = true;

    const { end } = collect(setting.client.watchJob("job", { connectTimeoutMs: 300 }));

    await expect(end).rejects.toMatchObject({ name: "Unreachable" });
  });

  test("a job that does not exist ends the watch at once", async () => {
    const setting = await setUp(server, protocol);

    await expect(collect(setting.client.watchJob("none")).end).rejects.toMatchObject({
      reason: "JOB_NOT_FOUND",
      metadata: { job_id: "none" },
    });
  });
});

test("a stream over which nothing comes leaves its connection to the others that go over it", async () => {
  // Silent after a tenth of a second with a status each second, and after 22 s with one every ten.
  const timing = { ...IMPATIENT, silenceMs: -2_400 };
  const setting = await setUp(await startServer(), "grpc", { timing });
  const { jobId } = await setting.direct.submitJob({ kind: "test", dispatch: Dispatch.EXTERNAL });
  const states: string[] = [];
  const other = setting.client.watchJob(jobId, { onConnection: ({ state }) => states.push(state) });
  const { items, end } = collect(other);
  await until(() => other.connection.state === "live");
  let lost = 0;
  const silent = setting.client.watchJob(jobId, {
    statusIntervalMs: 1000,
    onConnection: ({ error }) => (lost += Number(error?.name === "Silent")),
  });
  const collected = collect(silent);

  await until(() => lost >= 3);
  silent.close();
  await collected.end;
  await until(() => setting.proxy.open <= 2); // that of the other one, and another one; those without a stream are closed
  const undisturbed = [...states];
  setting.proxy.cut();
  await until(() => other.connection.state === "reconnecting");
  await setting.direct.cancelJob(jobId);
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(3));
  expect(undisturbed).not.toContain("reconnecting");
});

describe.each(protocols)("over %s, where the server restarts", (protocol) => {
  test.each(["SIGKILL", "SIGTERM"] as const)(
    "each event comes once and in order after %s",
    async (signal) => {
      const setting = await setUp(await startServer(), protocol);
      const work = await startJob(setting);
      const connections: Connection[] = [];
      const watch = setting.client.watchJob(work.job.jobId, { onConnection: (now) => connections.push(now) });
      const { items, end } = collect(watch);
      await work.log(5);
      await until(() => watch.connection.state === "live" && items.length === 7);

      await setting.server.stop(signal);
      await until(() => watch.connection.state === "reconnecting");
      await setting.server.start();
      await work.log(5);
      await until(() => watch.connection.state === "live" && items.length === 12);
      await work.end();
      await end;

      expect(sequencesOf(items)).toStrictEqual(oneTo(13));
      const lost = connections.find(({ state }) => state === "reconnecting");
      expect(lost?.error).toBeDefined();
      if (signal === "SIGTERM") {
        expect(hasReason(lost?.error, "DRAINING")).toBe(true);
      }
      expect(statesOf(connections).slice(-2)).toStrictEqual(["live", "ended"]);
    },
  );

  test("with another store the log restarts: a gap, and the current state", async () => {
    const setting = await setUp(await startServer(), protocol);
    const work = await startJob(setting, { jobId: "same" });
    await work.log(5);
    const watch = setting.client.watchJob("same");
    const one = collect(watch);
    const many = collect(setting.client.watchJobs({}, { connectTimeoutMs: Infinity }));
    await until(() => one.items.length === 7 && many.items.length === 7);
    const { epoch } = watch;

    setting.proxy.refuse = true;
    await setting.server.stop();
    setting.server.deleteStore();
    await setting.server.start();
    await setting.direct.submitJob({ jobId: "same", kind: "other" });
    setting.proxy.refuse = false;
    await until(() => [one, many].every(({ items }) => items.some(({ type }) => type === "snapshot")));
    await setting.direct.cancelJob("same");
    await one.end;
    await until(() => many.items.length === 11);

    for (const { items } of [one, many]) {
      expect(items.slice(7).map(({ type }) => type)).toStrictEqual(["gap", "snapshot", "event", "event"]);
      expect(items[7]).toMatchObject({ why: "restarted" });
      expect(items[8]).toMatchObject({ job: { kind: "other", lastSequence: 1n } });
    }
    expect(watch.epoch).not.toBe(epoch);
    expect(watch.connection.restartedAt).toBeDefined();
  });
});

/** Wait until no more bytes come in. */
async function bytesAtRest(proxy: TcpProxy): Promise<void> {
  let before = -1;
  await until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const isAtRest = proxy.bytesReceived === before;
    before = proxy.bytesReceived;
    return isAtRest;
  });
}
