/** Streams that end with INTERNAL and no reason, as where a proxy has reset them, or the server has a fault. */
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { JobState, WatchJobResponseSchema } from "@milepost/client";
import { expect, test } from "vitest";
import { IMPATIENT } from "../../testing/impatient.js";
import { MilepostClient } from "../src/client.js";
import { toMilepostError } from "../src/errors.js";
import { JobService } from "../src/gen/milepost/v1/job_service_pb.js";
import { UNEXPLAINED_LIMIT } from "../src/watch/unexplained-errors.js";
import { refusal } from "./refusal.js";
import { collect, oneTo, sequencesOf } from "./watching.js";

type Frame = MessageInitShape<typeof WatchJobResponseSchema>["frame"];

/** What a stream sends after `opened`, and how it ends; undefined: in order, at the end of the job. */
interface Stream {
  readonly frames: (after: bigint) => Frame[];
  readonly error?: ConnectError;
}

const HEAD = 20n;

const event = (sequence: bigint): Frame => ({ case: "events", value: { events: [{ sequence }] } });
const fault = (): ConnectError => new ConnectError("error id 7", Code.Internal);
const caughtUp: Stream = {
  frames: (sequence) => [{ case: "caughtUp", value: { sequence } }],
  error: fault(),
};

/** The rest of the log. */
const rest: Stream = {
  frames: (after) => {
    const payload = { case: "jobEnded", value: { state: JobState.SUCCEEDED } } as const;
    const last: Frame = { case: "events", value: { events: [{ sequence: HEAD, payload }] } };
    return [
      ...oneTo(Number(HEAD) - 1)
        .filter((sequence) => sequence > after)
        .map(event),
      last,
    ];
  },
};

/** A client of a server whose streams are these, of which the last one comes again; `opened` counts them. */
function clientOf(...streams: readonly Stream[]): { client: MilepostClient; opened: () => number } {
  let opened = 0;
  const transport = createRouterTransport((router) => {
    router.service(JobService, {
      watchJob: async function* ({ start }) {
        const after = start.case === "afterSequence" ? start.value : 0n;
        const stream = streams[Math.min(opened, streams.length - 1)];
        opened += 1;
        await Promise.resolve();
        yield frameOf({ case: "opened", value: { epoch: "e", cursor: after, headSequence: HEAD } });
        for (const frame of stream?.frames(after) ?? []) yield frameOf(frame);
        if (stream?.error) throw stream.error;
      },
      getJob: () => ({ job: { epoch: "e", lastSequence: HEAD, state: JobState.RUNNING } }),
    });
  });
  return { client: new MilepostClient({ timing: IMPATIENT }, { transport }), opened: () => opened };
}

function frameOf(frame: Frame) {
  return create(WatchJobResponseSchema, { frame });
}

/** So often this stream. */
function times(count: number, stream: Stream): Stream[] {
  return Array.from({ length: count }, () => stream);
}

test("a fault that comes back ends a watch, though each stream opens and has nothing to send", async () => {
  const { client, opened } = clientOf({ frames: (after) => [event(after + 1n)], error: fault() }, caughtUp);
  const { items, end } = collect(client.watchJob("job"));

  await expect(end).rejects.toMatchObject({ message: "error id 7", reason: "UNSPECIFIED" });
  expect(sequencesOf(items)).toStrictEqual([1n]);
  expect(opened()).toBe(UNEXPLAINED_LIMIT); // the first one, after an event, begins the row
});

test.each([
  ["event", (after: bigint) => [event(after + 1n)]],
  ["status", (after: bigint): Frame[] => [{ case: "status", value: { cursor: after, headSequence: HEAD } }]],
] as const)("a watch goes on while streams bring any %s", async (_, frames) => {
  const { client, opened } = clientOf(...times(UNEXPLAINED_LIMIT + 2, { frames, error: fault() }), rest);
  const { items, end } = collect(client.watchJob("job"));
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(Number(HEAD)));
  expect(opened()).toBe(UNEXPLAINED_LIMIT + 3);
});

test("a server that is away in between neither counts nor begins another row", async () => {
  const away: Stream = { frames: () => [], error: refusal(Code.Unavailable, "DRAINING") };
  const few = times(UNEXPLAINED_LIMIT - 1, caughtUp);
  const [good, bad] = [clientOf(...few, away, away, rest), clientOf(...few, away, caughtUp)];
  const { items, end } = collect(good.client.watchJob("job"));
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(Number(HEAD)));
  await expect(collect(bad.client.watchJob("job")).end).rejects.toMatchObject({ message: "error id 7" });
  expect(bad.opened()).toBe(UNEXPLAINED_LIMIT + 1);
});

test("a watch without a limit of time, as that of a page, goes on", async () => {
  const { client } = clientOf(...times(UNEXPLAINED_LIMIT + 2, caughtUp), rest);
  const { items, end } = collect(client.watchJob("job", { connectTimeoutMs: Infinity }));
  await end;

  expect(sequencesOf(items)).toStrictEqual(oneTo(Number(HEAD)));
});

test("a network that cannot be reached from Node, which Connect calls INTERNAL, is none of these errors", () => {
  const cause = Object.assign(new Error("connect EHOSTUNREACH"), { syscall: "connect" });
  const error = new ConnectError(cause.message, Code.Internal, undefined, undefined, cause);

  expect([error, fault()].map((thrown) => toMilepostError(thrown).name)).toStrictEqual([
    "Unreachable",
    "ServiceError",
  ]);
});
