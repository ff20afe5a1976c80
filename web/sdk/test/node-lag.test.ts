/** Nodes that have not read as far as the one that a cursor comes from. */
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code, createRouterTransport } from "@connectrpc/connect";
import { JobState, WatchJobResponseSchema } from "@milepost/client";
import { expect, test } from "vitest";
import { IMPATIENT } from "../../testing/impatient.js";
import { MilepostClient } from "../src/client.js";
import { JobService } from "../src/gen/milepost/v1/job_service_pb.js";
import { refusal } from "./refusal.js";
import { collect, oneTo, sequencesOf } from "./watching.js";

/** A client of a server that is cut after two events of three, and lags for as many streams then. */
function lagging(streams: number): { client: MilepostClient; starts: unknown[] } {
  const starts: unknown[] = [];
  const frame = (value: MessageInitShape<typeof WatchJobResponseSchema>["frame"]) =>
    create(WatchJobResponseSchema, { frame: value });
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      watchJob: async function* ({ start, epoch }) {
        const after = start.case === "afterSequence" ? start.value : 0n;
        starts.push([after, epoch]);
        await Promise.resolve();
        if (after > 0n && starts.length <= streams + 1) throw refusal(Code.OutOfRange, "SEQUENCE_AHEAD");
        yield frame({ case: "opened", value: { epoch: "e", cursor: after, headSequence: 3n } });
        const payload = { case: "jobEnded", value: { state: JobState.SUCCEEDED } } as const;
        const events = [{ sequence: 1n }, { sequence: 2n }, { sequence: 3n, payload }];
        const news = events.filter(({ sequence }) => sequence > after);
        yield frame({ case: "events", value: { events: after === 0n ? news.slice(0, 2) : news } });
        if (after === 0n) throw refusal(Code.Unavailable, "DRAINING");
      },
    });
  });
  return { client: new MilepostClient({ timing: IMPATIENT }, { transport }), starts };
}

test("a node that lags behind the one that the events came from is waited for", async () => {
  const { client, starts } = lagging(2);
  const { items, end } = collect(client.watchJob("job"));
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(3));
  expect(starts).toStrictEqual([[0n, ""], ...Array.from({ length: 3 }, () => [2n, "e"])]);
});

test("a cursor that stays ahead is refused, at once without an epoch by which it could be of any log", async () => {
  const { client, starts } = lagging(Infinity);
  const [without, impatient] = [{ after: 9n }, { after: 9n, epoch: "e", connectTimeoutMs: 0 }];

  for (const options of [without, impatient]) {
    await expect(collect(client.watchJob("job", options)).end).rejects.toMatchObject({
      reason: "SEQUENCE_AHEAD",
    });
  }
  expect(starts).toStrictEqual([
    [9n, ""],
    [9n, "e"],
  ]);
});
