import { expect, test } from "vitest";
import { dropUnshown } from "../../src/elements/live/unshown-jobs.js";

test("of jobs that no element shows the newest are kept, and all that are shown", () => {
  const jobs = new Map(
    Array.from({ length: 10 }, (_, n) => [`job-${n}`, { isShown: n === 0 || n === 5 }] as const),
  );

  dropUnshown(jobs, 3);

  expect([...jobs.keys()]).toEqual(["job-0", "job-5", "job-7", "job-8", "job-9"]);
});
