/** The log of a job as a page loads it: live lines, and older ones page by page. */
import { Code } from "@connectrpc/connect";
import { type Event, type MilepostClient, ServiceError } from "@milepost/client";
import { expect, test } from "vitest";
import { JobLog } from "../../src/elements/live/job-log.js";
import { LogLines } from "../../src/elements/model/log-lines.js";
import { event, job } from "./jobs.js";

const lineAt = (sequence: number): Event =>
  event(sequence, { payload: { case: "logWritten", value: { text: `line ${sequence}` } } });

/** The sequences from `first` to `last`. */
const span = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, place) => first + place);

/** A server whose job has a line in each event from `first` on; a stream of it ends at `head`. */
class Server {
  first = 1;
  head = 0;
  /** Called before each answer. */
  meanwhile = (): void => undefined;

  get client(): MilepostClient {
    const watchJob = (_: string, { after = 0n }: { readonly after?: bigint }) => this.#watch(Number(after));
    return { watchJob } as unknown as MilepostClient;
  }

  #watch(after: number) {
    const answer = (): Event[] => {
      this.meanwhile();
      if (after < this.first - 1) throw this.#trimmed;
      return span(after + 1, this.head).map(lineAt);
    };
    return {
      sequence: BigInt(after),
      async *batches() {
        const events = await Promise.resolve().then(answer);
        this.sequence = events.at(-1)?.sequence ?? this.sequence;
        yield events.map((each) => ({ type: "event", event: each }));
      },
    };
  }

  get #trimmed(): ServiceError {
    const metadata = { first: `${this.first}` };
    return new ServiceError("trimmed", { reason: "SEQUENCE_TRIMMED", code: Code.OutOfRange, metadata });
  }
}

/** The log of the job, which has come up to the server's head, with room for so many lines. */
function logOf(server: Server, room = 1000): JobLog {
  const log = new JobLog(server.client, "j", new LogLines(room));
  log.restart(job({ epoch: "e", firstSequence: BigInt(server.first), lastSequence: BigInt(server.head) }));
  return log;
}

const sequencesOf = ({ lines }: JobLog): number[] => lines.lines.map(({ sequence }) => sequence);

test("lines that were dropped for newer ones are loaded again before those that are older still", async () => {
  const server = new Server();
  server.head = 100;
  const log = logOf(server, 100);
  await log.loadOlder();
  log.add(span(101, 110).map(lineAt)); // the oldest 15 go
  const kept = sequencesOf(log);
  server.head = 110;
  const hadOlder = log.hasOlder;
  await log.loadOlder();

  expect([kept, hadOlder]).toStrictEqual([span(16, 110), true]);
  expect(sequencesOf(log)).toStrictEqual(span(11, 110));
  expect([log.hasOlder, log.isCut]).toStrictEqual([false, true]);
});

test("a page of lines that lines were dropped behind meanwhile leaves no hole", async () => {
  const server = new Server();
  server.head = 4000; // of which a page has 2,000
  const log = logOf(server, 3000);
  await log.loadOlder();
  server.head = 5500;
  server.meanwhile = () => {
    server.meanwhile = () => undefined;
    log.add(span(4001, 5500).map(lineAt));
  };
  await log.loadOlder();
  const sequences = sequencesOf(log);

  expect(sequences).toStrictEqual(span(5500 - sequences.length + 1, 5500));
});

test("events that the server has dropped since the page was opened do not hide those that it still has", async () => {
  const server = new Server();
  server.head = 100;
  const log = logOf(server);
  const before = log.isTrimmed;
  server.first = 41;
  await log.loadOlder();

  expect([before, log.isTrimmed, log.error]).toStrictEqual([false, true, ""]);
  expect(sequencesOf(log)).toStrictEqual(span(41, 100));
  expect(log.hasOlder).toBe(false);
});

test("a node that has yet to read as far as the page leaves no hole: it is asked again", async () => {
  const server = new Server();
  server.head = 100;
  const log = logOf(server);
  server.head = 90;
  await log.loadOlder();
  const failed = [log.isLoaded, log.error];
  server.head = 100;
  await log.loadOlder();

  expect(failed).toStrictEqual([false, "The server cannot be reached: no more than event 90 of 100 came"]);
  expect(sequencesOf(log)).toStrictEqual(span(1, 100));
});
