import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { onTestFinished } from "vitest";
import { type Job, JobState } from "../sdk/src/index.js";
import {
  type HelloSchema,
  type UpdateSchema,
  type WorkRequest,
  WorkRequestSchema,
  WorkerService,
} from "../sdk/src/gen/milepost/v1/worker_service_pb.js";

type Update = NonNullable<MessageInitShape<typeof UpdateSchema>["update"]>;

/** A job at work, whose worker is the test: it reports what the test says. */
export class WorkedJob {
  readonly job: Job;
  readonly #service: Client<typeof WorkerService>;
  readonly #leaseToken: string;
  #nextReport = 1n;

  constructor(service: Client<typeof WorkerService>, job: Job, leaseToken: string) {
    this.#service = service;
    this.job = job;
    this.#leaseToken = leaseToken;
  }

  /** Report updates; they are durable when this returns. */
  async report(...updates: Update[]): Promise<void> {
    for (let index = 0; index < updates.length; index += 1000) {
      const part = updates.slice(index, index + 1000);
      await this.#service.reportJob({
        jobId: this.job.jobId,
        leaseToken: this.#leaseToken,
        firstReportSequence: this.#nextReport,
        updates: part.map((update) => ({ update })),
      });
      this.#nextReport += BigInt(part.length);
    }
  }

  /** Report so many log lines, `line 1` and so on. */
  async log(count: number, text = "line"): Promise<void> {
    const lines = Array.from({ length: count }, (_, index) => `${text} ${index + 1}`);
    await this.report(...lines.map((line): Update => ({ case: "logWritten", value: { text: line } })));
  }

  /** Report the end of the job. */
  async end(
    value: Extract<Update, { case: "jobEnded" }>["value"] = { state: JobState.SUCCEEDED },
  ): Promise<void> {
    await this.report({ case: "jobEnded", value });
  }
}

/**
 * Connect a worker, which leaves with the test. It does nothing with the jobs that it gets: the function returned waits for
 * the next one, for the test to work on.
 */
export async function connectWorker(
  baseUrl: string,
  hello: MessageInitShape<typeof HelloSchema>,
): Promise<() => Promise<WorkedJob>> {
  const leaving = new AbortController();
  onTestFinished(() => {
    leaving.abort();
  });
  const { signal } = leaving;
  async function* requests(): AsyncGenerator<WorkRequest> {
    yield create(WorkRequestSchema, { message: { case: "hello", value: hello } });
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
    });
  }
  const service = createClient(WorkerService, createGrpcTransport({ baseUrl }));
  const messages = service.work(requests(), { signal })[Symbol.asyncIterator]();
  await messages.next();
  return async () => {
    for (let next = await messages.next(); !next.done; next = await messages.next()) {
      const { message } = next.value;
      if (message.case === "assignment" && message.value.job !== undefined) {
        return new WorkedJob(service, message.value.job, message.value.leaseToken);
      }
    }
    throw new Error("The session ended before a job was assigned.");
  };
}

/**
 * Claim a job that was submitted with the dispatch EXTERNAL.
 *
 * The session ends at once; the job keeps its lease until it expires, and each report renews it.
 */
export async function claimJob(baseUrl: string, jobId: string): Promise<WorkedJob> {
  const service = createClient(WorkerService, createGrpcTransport({ baseUrl }));
  const ending = new AbortController();
  onTestFinished(() => {
    ending.abort();
  });
  const messages: WorkRequest[] = [
    create(WorkRequestSchema, { message: { case: "hello", value: { instance: `test-${jobId}` } } }),
    create(WorkRequestSchema, { message: { case: "claim", value: { jobId } } }),
  ];
  async function* requests(): AsyncGenerator<WorkRequest> {
    yield* messages;
    await new Promise((resolve) => {
      ending.signal.addEventListener("abort", resolve);
    });
  }
  for await (const { message } of service.work(requests(), { signal: ending.signal })) {
    if (message.case === "assignment" && message.value.job !== undefined) {
      ending.abort();
      return new WorkedJob(service, message.value.job, message.value.leaseToken);
    }
    if (message.case === "rejected") {
      throw new Error(message.value.message);
    }
  }
  throw new Error("The session ended before the job was assigned.");
}
