import { Dispatch } from "@milepost/client";
import { test } from "vitest";
import { connectWorker } from "../../testing/worker.js";
import { accessible, picture, shows, startPages } from "./pages.js";

test("the list, and a job that waits for a worker, say who works", async () => {
  const pages = await startPages();
  const hello = { workerId: "w-1", kinds: ["render"], maxConcurrency: 2 };
  await connectWorker(pages.server.baseUrl, hello);

  await pages.service.submitJob({ jobId: "mistyped", kind: "rendre" });
  const page = await pages.open("mistyped");
  await shows(page, "[part=waiting]", "no worker takes rendre; nearest: render");
  await shows(page, "[part=workers]", "1 worker · 0 of 2 places taken");

  const list = await pages.openList();
  await list.locator("milepost-workers summary").click();
  await shows(list, "milepost-workers tbody tr", /^w-1\s+0 of 2\s+render\s/);
  await accessible(list);
  await picture(list, "workers");
});

test("a list says that no worker is connected, unless engines claim all of its jobs", async () => {
  const pages = await startPages();
  const list = await pages.openList();
  await shows(list, "milepost-jobs .notice", "no jobs yet. milepost submit KIND submits one.");
  await shows(list, "[part=workers]", "no worker is connected");
  await pages.submit("claimed", { dispatch: Dispatch.EXTERNAL });
  await list.locator("[part=workers]").waitFor({ state: "detached" });
  await pages.submit("queued", { dispatch: Dispatch.QUEUE });
  await shows(list, "[part=workers]", "no worker is connected");
});
