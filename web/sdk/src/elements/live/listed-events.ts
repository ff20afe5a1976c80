/** What a stream of many jobs brings, for lists and bars. */

/** Milliseconds between two statuses of a stream of many jobs, which have their new estimates. */
export const STATUS_INTERVAL = 5000;

/** The payloads that change what a list shows. */
export const LISTED_PAYLOADS = [
  "jobSubmitted",
  "jobStarted",
  "stagesPlanned",
  "stageStarted",
  "stageProgressed",
  "stageEnded",
  "cancelRequested",
  "cancelAcknowledged",
  "attemptEnded",
  "jobEnded",
  "childrenProgressed",
] as const;
