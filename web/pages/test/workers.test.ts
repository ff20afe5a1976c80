import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { onTestFinished, test, expect } from "vitest";
import { WorkerService } from "../../sdk/src/gen/milepost/v1/worker_service_pb.js";
import { picture, shows, startPages, violations } from "./pages.js";

test("the list, and a job that waits for a worker, say who works", async () => {
  const pages = await startPages();
  const leaving = new AbortController();
  onTestFinished(() => {
    leaving.abort();
  });
  const hello = { workerId: "w-1", kinds: ["render"], maxConcurrency: 2 };
  const worker = createClient(WorkerService, createGrpcTransport({ baseUrl: pages.server.baseUrl }));
  const session = worker.work(
    (async function* () {
      yield { message: { case: "hello" as const, value: hello } };
      await new Promise((resolve) => {
        leaving.signal.addEventListener("abort", resolve);
      });
    })(),
    { signal: leaving.signal },
  );
  await session[Symbol.asyncIterator]().next();

  await pages.service.submitJob({ jobId: "mistyped", kind: "rendre" });
  const page = await pages.open("mistyped");
  await shows(page, "[part=waiting]", "no worker takes rendre; nearest: render");
  await shows(page, "[part=workers]", "1 worker · 0 of 2 places taken");

  const list = await pages.openList();
  await list.locator("milepost-workers summary").click();
  await shows(list, "milepost-workers tbody tr", /^w-1\s+0 of 2\s+render\s/);
  expect(await violations(list)).toEqual([]);
  await picture(list, "workers");
});
