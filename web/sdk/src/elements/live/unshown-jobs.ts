/** What a page keeps of jobs that it has shown before. */

interface Shown {
  /** Whether an element shows it. */
  readonly isShown: boolean;
}

/** Drop the oldest jobs that no element shows any more, but for `kept` of them. */
export function dropUnshown(jobs: Map<string, Shown>, kept: number): void {
  if (jobs.size <= kept) return;
  const unshown = [...jobs].filter(([, job]) => !job.isShown);
  for (const [jobId] of unshown.slice(0, Math.max(unshown.length - kept, 0))) jobs.delete(jobId);
}
