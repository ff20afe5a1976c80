import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Connection, Dispatch, type JobItem, type JobsItem, hasReason } from "@milepost/client";
import { createClient } from "@milepost/client/node";
import { describe, expect, test } from "vitest";
import { IMPATIENT } from "../../testing/impatient.js";
import { type Proxy, startProxy } from "../../testing/proxy.js";
import { inRepository } from "../../testing/repository.js";
import { type Server, startServer } from "../../testing/server.js";
import { until } from "../../testing/until.js";
import { claimJob } from "../../testing/worker.js";

interface Setting {
  server: Server;
  proxy: Proxy;
  /** Client straight to the server, and one through the proxy. */
  direct: ReturnType<typeof createClient>;
  client: ReturnType<typeof createClient>;
}

async function startSetting(...options: string[]): Promise<Setting> {
  const server = await startServer(...options);
  const proxy = await startProxy(server.port);
  const direct = createClient({ baseUrl: server.baseUrl });
  const client = createClient({ baseUrl: proxy.baseUrl, timing: IMPATIENT });
  return { server, proxy, direct, client };
}

/** Submit a job for the test to work on. */
async function startJob({ server, direct }: Setting, submission: object = {}) {
  const job = await direct.submitJob({ kind: "test", dispatch: Dispatch.EXTERNAL, ...submission });
  return claimJob(server.baseUrl, job.jobId);
}

/** Collect the items of a watch until its end, while the test goes on. */
function collect<Item>(watch: AsyncIterable<Item>): { items: Item[]; end: Promise<void> } {
  const items: Item[] = [];
  const end = (async () => {
    for await (const item of watch) {
      items.push(item);
    }
  })();
  end.catch(() => undefined); // the test awaits it later
  return { items, end };
}

function sequencesOf(items: readonly (JobItem | JobsItem)[]): bigint[] {
  return items.flatMap((item) => (item.type === "event" ? item.event.sequence : []));
}

function oneTo(count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => BigInt(index + 1));
}

/** The states that a connection went through, each once in a row. */
function statesOf(connections: readonly Connection[]): string[] {
  return connections.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
}

describe("each event comes once and in order", () => {
  test("across cuts", async () => {
    const setting = await startSetting();
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
    expect(statesOf(connections).filter((state) => state === "reconnecting").length).toBeGreaterThanOrEqual(
      3,
    );
    expect(
      connections.filter(({ state }) => state === "reconnecting").every(({ staleSince }) => staleSince),
    ).toBe(true);
    expect(connections.at(-1)?.state).toBe("ended");
  });

  test("while the connection is cut all the time", async () => {
    const setting = await startSetting();
    const work = await startJob(setting, { stages: [{ stageId: "copy", total: 300 }] });
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

  test.each(["SIGKILL", "SIGTERM"] as const)("across a restart of the server after %s", async (signal) => {
    const setting = await startSetting();
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
    await work.end();
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(13));
    const lost = connections.find(({ state }) => state === "reconnecting");
    expect(lost?.error).toBeDefined();
    if (signal === "SIGTERM") {
      expect(hasReason(lost?.error, "DRAINING")).toBe(true);
    }
    expect(statesOf(connections).slice(-2)).toStrictEqual(["live", "ended"]);
  });

  test("of many jobs, across cuts", async () => {
    const setting = await startSetting();
    const works = await Promise.all([startJob(setting), startJob(setting), startJob(setting)]);
    const watch = setting.client.watchJobs({ kinds: ["test"] });
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
});

describe("a history that cannot be continued is told", () => {
  test("as a gap and the current state, where events were dropped", async () => {
    const setting = await startSetting("--sweep-interval", "1s");
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

  test("as a restart, where the store is another one", async () => {
    const setting = await startSetting();
    const work = await startJob(setting, { jobId: "same" });
    await work.log(5);
    const watch = setting.client.watchJob("same");
    const { items, end } = collect(watch);
    await until(() => watch.connection.state === "live");
    const { epoch } = watch;

    await setting.server.stop();
    setting.server.deleteStore();
    await setting.server.start();
    await setting.direct.submitJob({ jobId: "same", kind: "other" });
    await until(() => items.some(({ type }) => type === "snapshot"));
    await setting.direct.cancelJob("same");
    await end;

    expect(items.slice(7).map(({ type }) => type)).toStrictEqual(["gap", "snapshot", "event", "event"]);
    expect(items[7]).toMatchObject({ why: "restarted" });
    expect(items[8]).toMatchObject({ job: { kind: "other", lastSequence: 1n } });
    expect(watch.epoch).not.toBe(epoch);
    expect(watch.connection.restartedAt).toBeDefined();
  });

  test("as a restart, in a watch of many jobs", async () => {
    const setting = await startSetting();
    await setting.direct.submitJob({ jobId: "old", kind: "test" });
    const watch = setting.client.watchJobs();
    const { items, end } = collect(watch);
    await until(() => items.length === 1);

    await setting.server.stop();
    setting.server.deleteStore();
    await setting.server.start();
    await setting.direct.submitJob({ jobId: "new", kind: "test" });
    await until(() => items.length >= 3);
    watch.close();
    await end;

    expect(items.map(({ type }) => type)).toStrictEqual(["event", "gap", "snapshot"]);
    expect(items[2]).toMatchObject({ job: { jobId: "new" } });
  });
});

test("a half-open connection counts as lost after 2.5 status intervals of silence", async () => {
  const setting = await startSetting();
  const work = await startJob(setting);
  const watch = setting.client.watchJob(work.job.jobId, { statusIntervalMs: 1000 });
  const { items, end } = collect(watch);
  await until(() => items.length === 2);

  setting.proxy.stall();
  await work.end();
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(3));
  expect(setting.proxy.connections).toBe(2);
});

describe("an expired token", () => {
  async function createToken(server: Server, expires: string): Promise<string> {
    const { stdout } = await promisify(execFile)(inRepository(".venv/bin/milepost"), [
      ...["token", "create", "--tokens", join(server.directory, "tokens.toml"), "--subject", "browser"],
      ...["--owner", "*", "--scope", "admin", "--expires", expires],
    ]);
    return stdout.trim();
  }

  test("is replaced by another one, and the watch goes on", async () => {
    const server = await startServer();
    const file = join(server.directory, "tokens.toml");
    const long = await createToken(server, "1h");
    const tokens = [await createToken(server, "4s"), await createToken(server, "1h")];
    await server.stop();
    server.addOptions("--tokens", file);
    await server.start();
    const direct = createClient({ baseUrl: server.baseUrl, token: long });
    const { jobId } = await direct.submitJob({ kind: "test" });
    let asked = 0;
    const client = createClient({
      baseUrl: server.baseUrl,
      timing: IMPATIENT,
      token: () => Promise.resolve(tokens[asked++] ?? ""),
    });

    const { items, end } = collect(client.watchJob(jobId));
    await until(() => asked === 2);
    await direct.cancelJob(jobId);
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(3));
    expect(asked).toBe(2);
  });

  test("ends the watch where there is no other one", async () => {
    const server = await startServer();
    const file = join(server.directory, "tokens.toml");
    const long = await createToken(server, "1h");
    const short = await createToken(server, "4s");
    await server.stop();
    server.addOptions("--tokens", file);
    await server.start();
    const { jobId } = await createClient({ baseUrl: server.baseUrl, token: long }).submitJob({
      kind: "test",
    });

    const { end } = collect(createClient({ baseUrl: server.baseUrl, token: short }).watchJob(jobId));

    await expect(end).rejects.toMatchObject({ reason: "TOKEN_EXPIRED" });
  });
});

describe("a consumer", () => {
  test("that stalls holds the stream back", async () => {
    const setting = await startSetting();
    const work = await startJob(setting);
    for (let part = 0; part < 30; part++) {
      await work.log(100, "x".repeat(10_000)); // 30 MB in all
    }
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let count = 0;
    const reading = (async () => {
      for await (const _ of setting.client.watchJob(work.job.jobId)) {
        count++;
        await released;
      }
    })();
    await until(() => count === 1);
    await bytesAtRest(setting.proxy);

    expect(setting.proxy.bytesReceived).toBeLessThan(10_000_000);

    release();
    await work.end();
    await reading;
    expect(count).toBe(3003);
  });

  test("that leaves the loop, closes the watch, or aborts its signal, ends the stream", async () => {
    const setting = await startSetting();
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
    // A watch that is over resumes at its cursor in another one.
    const resumed = collect(setting.client.watchJob(jobId, { after: closed.sequence, epoch: closed.epoch }));
    await work.end();
    await resumed.end;
    expect(sequencesOf(resumed.items)).toStrictEqual([3n]);
  });
});

test("the first connection has to succeed in time", async () => {
  const setting = await startSetting();
  setting.proxy.refuse = true;

  const { end } = collect(setting.client.watchJob("job", { connectTimeoutMs: 300 }));

  await expect(end).rejects.toMatchObject({ name: "Unreachable" });
});

test("a job that does not exist ends the watch at once", async () => {
  const setting = await startSetting();

  await expect(collect(setting.client.watchJob("none")).end).rejects.toMatchObject({
    reason: "JOB_NOT_FOUND",
  });
});

/** Wait until no more bytes come in. */
async function bytesAtRest(proxy: Proxy): Promise<void> {
  let before = -1;
  await until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const isAtRest = proxy.bytesReceived === before;
    before = proxy.bytesReceived;
    return isAtRest;
  });
}
