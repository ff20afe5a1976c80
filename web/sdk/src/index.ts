/** Client of Milepost: submit, watch and cancel long-running jobs. */
export * from "./gen/milepost/v1/error_reason_pb.js";
export * from "./gen/milepost/v1/event_pb.js";
export * from "./gen/milepost/v1/job_pb.js";
export type { ConnectedWorker } from "./gen/milepost/v1/admin_service_pb.js";
export * from "./gen/milepost/v1/job_service_pb.js";
export type { CallOptions } from "./calls.js";
export type {
  CancelOptions,
  ClientOptions,
  Filter,
  HistoryOptions,
  ListOptions,
  MilepostClient,
  Share,
  ShareOptions,
  Submission,
} from "./client.js";
export {
  type FieldViolation,
  MilepostError,
  ProtocolError,
  type Reason,
  type Refusal,
  ServiceError,
  Silent,
  StreamsBlocked,
  TokenUnavailable,
  Unreachable,
  hasReason,
} from "./errors.js";
export { type RemainingTime, remainingTime } from "./remaining-time.js";
export { Fold } from "./fold/index.js";
export { hasEnded } from "./job-states.js";
export { durationMs, timestampMs } from "./time.js";
export type { Token } from "./token.js";
export type { Connection } from "./watch/connection.js";
export type { EventItem, JobItem, SnapshotItem } from "./watch/job-cursor.js";
export type { JobFollower } from "./watch/job-follower.js";
export type { JobWatch } from "./watch/job-watch.js";
export type { DeletedItem, JobsItem, TrimmedItem } from "./watch/jobs-cursor.js";
export type { JobsWatch } from "./watch/jobs-watch.js";
export type { GapItem } from "./watch/watch-cursor.js";
export type { PayloadName, WatchOptions } from "./watch/watch-options.js";
export type { WatchTiming } from "./watch/watch-timing.js";
export { type WebClientOptions, createClient } from "./web-client.js";
