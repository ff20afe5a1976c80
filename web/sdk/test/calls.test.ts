import { MilepostError, createClient } from "@milepost/client";
import { createClient as createNodeClient } from "@milepost/client/node";
import { expect, test } from "vitest";
import { sharedServer } from "../../testing/server.js";

const server = sharedServer();

test.each(["grpc", "connect"])(
  "a call without a timeout, or with one of months, is answered over %s",
  async (protocol) => {
    const client =
      protocol === "grpc"
        ? createNodeClient({ baseUrl: server.baseUrl, timeoutMs: Infinity })
        : createClient({ baseUrl: server.httpUrl, timeoutMs: Infinity });

    const { jobId } = await client.submitJob({ kind: "test" });
    const job = await client.getJob(jobId, { timeoutMs: 100 * 86_400_000 });

    expect(job.jobId).toBe(jobId);
  },
);

test("a module that a server renders can create a client, whose calls and watches say what is missing", async () => {
  const client = createClient();
  const missing = new MilepostError("There is no page whose origin to call: give createClient a baseUrl.");

  await expect(client.getJob("job")).rejects.toStrictEqual(missing);
  await expect(client.watchJob("job").batches().next()).rejects.toStrictEqual(missing);
});
