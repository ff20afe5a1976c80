/** The messages that the elements read, from one place. */
export {
  Dispatch,
  EstimateBasis,
  JobState,
  StageState,
  type Artifact,
  type Cancellation,
  type Estimate,
  type Failure,
  type Job,
  type Stage,
} from "../gen/milepost/v1/job_pb.js";
export { type ConnectedWorker } from "../gen/milepost/v1/admin_service_pb.js";
export { EventSchema, Severity, type Event } from "../gen/milepost/v1/event_pb.js";
export { WaitingFor, type Waiting } from "../gen/milepost/v1/job_service_pb.js";
