// Works on jobs of a kind, one at a time, through whatever happens to the connection: every report counts once.
//
//   node worker.mjs ADDRESS
//
// takes jobs of the kind "count", whose input says how far: {"to": 100}. SIGTERM ends it when it has no job.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { MIB, connect, fromStruct, passes, pause, size, toStruct } from "./milepost.mjs";

const OVER = ["ERROR_REASON_LEASE_LOST", "ERROR_REASON_JOB_ENDED", "ERROR_REASON_JOB_NOT_FOUND"];

// One try at a job: what was reported of it and is not durable yet, under the numbers that it will always have.
class Attempt {
  constructor({ job, lease_token }, send) {
    this.jobId = job.job_id;
    this.input = fromStruct(job.input);
    this.token = lease_token;
    this.cancelled = new AbortController(); // aborted when the handler is to stop
    this.send = send;
    this.first = 1; // the number of the first update that is kept
    this.updates = [];
    this.sent = 0; // how many of those went out on this connection
    this.ended = false;
  }

  report(update) {
    if (this.ended) return;
    this.ended = "job_ended" in update;
    this.updates.push(update);
    this.flush();
  }

  // At most 1,000 updates in a report, and well below the 4 MiB that a request may have.
  flush() {
    while (this.sent < this.updates.length) {
      const updates = [];
      for (let bytes = 0; updates.length < 1_000 && this.sent < this.updates.length; this.sent++) {
        bytes += size({ report: { updates: [this.updates[this.sent]] } });
        if (updates.length && bytes > MIB) break;
        updates.push(this.updates[this.sent]);
      }
      const first = this.first + this.sent - updates.length;
      this.send({ report: { job_id: this.jobId, lease_token: this.token, first_report_sequence: first, updates } });
    }
  }

  // The server has everything up to this report.
  acknowledge(number) {
    const count = Math.min(Math.max(number - this.first + 1, 0), this.updates.length);
    this.updates.splice(0, count);
    this.first += count;
    this.sent = Math.max(this.sent - count, 0);
  }

  // Says once more what comes after that.
  goOnAfter(number) {
    this.acknowledge(number);
    this.sent = 0;
    this.flush();
  }
}

export class Worker {
  constructor(client, kind, handler) {
    Object.assign(this, { client, kind, handler, attempts: new Map(), instance: randomUUID(), stopping: false });
    this.call = null;
  }

  async run() {
    for (let failures = 0; !this.stopping || this.attempts.size; ) {
      try {
        await this.session(() => (failures = 0));
      } catch (error) {
        if (!passes(error)) throw error;
      }
      if (!this.stopping || this.attempts.size) await pause(failures++);
    }
  }

  // Takes no more jobs, and ends when those that it has are done.
  stop() {
    this.stopping = true;
    this.send({ capacity: { max_concurrency: 0 } });
    if (!this.attempts.size) this.call?.end();
  }

  send(request) {
    if (this.call?.writable) this.call.write(request); // what is not sent now is sent after the next `resumed`
  }

  async session(onWelcome) {
    const call = (this.call = this.client.workers.Work());
    call.on("error", () => {});
    this.send({
      hello: {
        kinds: [this.kind],
        max_concurrency: this.stopping ? 0 : 1,
        sdk: "milepost-example-node",
        instance: this.instance, // so the server knows which assignments never arrived
        job_ids: [...this.attempts.keys()],
      },
    });
    let heartbeat;
    try {
      for await (const response of call) {
        if (response.message === "welcome") {
          onWelcome();
          const { seconds = 0, nanos = 0 } = response.welcome.heartbeat_interval;
          heartbeat = setInterval(() => this.send({ heartbeat: {} }), seconds * 1e3 + nanos / 1e6);
          for (const { jobId, token } of this.attempts.values())
            this.send({ resume: { job_id: jobId, lease_token: token } });
        } else if (response.message === "assignment") {
          this.begin(response.assignment);
        } else {
          this.hear(response.message, response[response.message]);
        }
        if (this.stopping && !this.attempts.size) call.end();
      }
    } finally {
      clearInterval(heartbeat);
      this.call = null;
      call.cancel();
    }
  }

  hear(kind, message) {
    const attempt = this.attempts.get(message.job_id);
    if (!attempt || (message.lease_token ?? attempt.token) !== attempt.token) return; // of an earlier attempt
    if (kind === "acknowledged") {
      attempt.acknowledge(message.report_sequence);
      if (attempt.ended && !attempt.updates.length) this.attempts.delete(attempt.jobId);
    } else if (kind === "resumed") {
      attempt.goOnAfter(message.acknowledged_report_sequence ?? 0);
      if (message.cancellation) attempt.cancelled.abort();
    } else if (kind === "cancel") {
      attempt.report({ cancel_acknowledged: {} });
      attempt.cancelled.abort();
    } else if (kind === "rejected") {
      this.rejected(attempt, message);
    } // "drain": the stream ends soon, and another one takes its place
  }

  rejected(attempt, { reason, message, report_sequence: number, expected_report_sequence: expected }) {
    if (OVER.includes(reason)) {
      attempt.ended = true; // nothing more is to be said
      attempt.cancelled.abort();
      this.attempts.delete(attempt.jobId);
    } else if (reason === "ERROR_REASON_REPORT_GAP") {
      attempt.goOnAfter(expected - 1);
    } else {
      console.error(`job ${attempt.jobId}: report ${number} was refused: ${message}`);
      const last = attempt.first + attempt.updates.length - 1;
      if (attempt.ended && number === last && "job_ended" in attempt.updates.at(-1)) {
        attempt.ended = false; // the end itself: the job has to end somehow
        attempt.report(failed("RESULT_REFUSED", message));
      }
    }
  }

  async begin(assignment) {
    const attempt = new Attempt(assignment, (request) => this.send(request));
    this.attempts.set(attempt.jobId, attempt);
    try {
      const result = await this.handler(attempt);
      attempt.report({ job_ended: { state: "JOB_STATE_SUCCEEDED", result: toStruct(result) } });
    } catch (error) {
      const stopped = attempt.cancelled.signal.aborted;
      attempt.report(stopped ? { job_ended: { state: "JOB_STATE_CANCELLED" } } : failed("ERROR", String(error)));
    }
  }
}

const failed = (code, message) => ({
  job_ended: { state: "JOB_STATE_FAILED", failure: { code, message: message.slice(0, 4_096) } },
});

// Counts slowly enough to be watched. The plan is what makes a percentage of it mean something.
export async function count(attempt) {
  const { to } = attempt.input;
  attempt.report({ stages_planned: { stages: [{ stage_id: "count", total: to, unit: "numbers" }] } });
  attempt.report({ stage_started: { stage: { stage_id: "count" } } });
  for (let number = 1; number <= to; number++) {
    await sleep(10, undefined, { signal: attempt.cancelled.signal });
    attempt.report({ stage_progressed: { stage_id: "count", current: number } });
  }
  attempt.report({ stage_ended: { stage_id: "count", state: "STAGE_STATE_SUCCEEDED" } });
  return { sum: (to * (to + 1)) / 2 };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === undefined) {
    console.error("Usage: node worker.mjs ADDRESS");
    process.exit(2);
  }
  const client = connect(process.argv[2]);
  const worker = new Worker(client, "count", count);
  process.on("SIGTERM", () => worker.stop());
  await worker.run();
  client.workers.close();
}
