// Follows a job to its end, through whatever happens to the connection: every event once, in order.
//
//   node watch.mjs ADDRESS JOB_ID [AFTER]
//
// prints one line of JSON for each event.

import { fileURLToPath } from "node:url";

import { connect, passes, pause } from "./milepost.mjs";

const STATUS_SECONDS = 5;

// The events of a job after one sequence. All that it takes to go on is that number, and the epoch that it is of.
export async function* watch({ jobs }, jobId, after = 0) {
  let [sequence, epoch, failures] = [after, "", 0];
  for (;;) {
    const call = jobs.WatchJob({
      job_id: jobId,
      after_sequence: sequence,
      epoch,
      status_interval: { seconds: STATUS_SECONDS },
    });
    call.on("error", () => {}); // it comes out of the loop, too; but not where that was left before
    // An idle stream says so every few seconds. One that does not is no stream any more, whatever TCP believes.
    let silent = false;
    const watchdog = setTimeout(() => {
      silent = true;
      call.cancel();
    }, 3 * STATUS_SECONDS * 1_000);
    try {
      for await (const { frame, opened, events, caught_up, status } of call) {
        watchdog.refresh();
        failures = 0;
        if (frame === "opened") epoch = opened.epoch;
        if (frame === "caught_up") sequence = Math.max(sequence, caught_up.sequence ?? 0);
        if (frame === "status") sequence = Math.max(sequence, status.cursor ?? 0);
        for (const event of events?.events ?? []) {
          sequence = event.sequence;
          yield event;
        }
      }
      return; // OK, so the job has ended
    } catch (error) {
      if (!silent && !passes(error, epoch)) throw error;
    } finally {
      clearTimeout(watchdog);
      call.cancel();
    }
    await pause(failures++);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [address, jobId, after] = process.argv.slice(2);
  if (jobId === undefined) {
    console.error("Usage: node watch.mjs ADDRESS JOB_ID [AFTER]");
    process.exit(2);
  }
  const client = connect(address);
  try {
    for await (const event of watch(client, jobId, Number(after ?? 0))) console.log(JSON.stringify(event));
  } catch (error) {
    console.error(error.message); // such as: 5 NOT_FOUND: There is no job 'x'. …
    process.exitCode = 1;
  }
  client.jobs.close();
}
