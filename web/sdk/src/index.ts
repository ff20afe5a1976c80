/** Client of Milepost: submit, watch and cancel long-running jobs. */
export * from "./gen/milepost/v1/error_reason_pb.js";
export * from "./gen/milepost/v1/event_pb.js";
export * from "./gen/milepost/v1/job_pb.js";
export * from "./gen/milepost/v1/job_service_pb.js";
