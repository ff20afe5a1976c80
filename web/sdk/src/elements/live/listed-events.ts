/** The payloads that change what a list or a bar shows. */
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
