// The contract, and what every client of it needs: channels, errors with their reasons, and when to try again.

import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const files = ["job_service.proto", "worker_service.proto"].map((name) => `milepost/v1/${name}`);
const definition = protoLoader.loadSync(files, {
  includeDirs: [fileURLToPath(new URL("../../protos", import.meta.url))],
  keepCase: true,
  longs: Number, // sequences and positions stay below 2^53
  enums: String,
  oneofs: true, // and no defaults: what is 0 or empty is absent, as in JSON
});
const { JobService, WorkerService } = grpc.loadPackageDefinition(definition).milepost.v1;

export const MIB = 1024 * 1024;

export function connect(address) {
  const options = {
    "grpc.keepalive_time_ms": 20_000, // a server takes a ping every 10 s, and no more
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 5_000,
    "grpc.max_receive_message_length": -1, // one event may be larger than the 4 MiB that is the default
  };
  const credentials = grpc.credentials.createInsecure();
  return {
    jobs: new JobService(address, credentials, options),
    workers: new WorkerService(address, credentials, options),
  };
}

// How many bytes a message to a worker's session takes; a server refuses more than 4 MiB.
export const size = (request) => WorkerService.service.Work.requestSerialize(request).length;

// --- Errors ---------------------------------------------------------------------------------------------------------

const { root } = protobuf.parse(`syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }`);

// The reason in google.rpc.ErrorInfo, such as "JOB_NOT_FOUND"; empty where there is none, as after a cut.
export function reasonOf(error) {
  const [status] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!status) return "";
  const info = root
    .lookupType("Status")
    .decode(status)
    .details.find((detail) => detail.typeUrl.endsWith("/google.rpc.ErrorInfo"));
  return info ? root.lookupType("ErrorInfo").decode(info.value).reason : "";
}

const PASSING = ["DRAINING", "STORE_UNAVAILABLE", "STORE_FULL", "LIMIT_REACHED"];
const CUT = [grpc.status.UNAVAILABLE, grpc.status.CANCELLED, grpc.status.UNKNOWN, grpc.status.INTERNAL];

// Whether it may be another story soon: a refusal that passes, or a connection that broke. A node that refuses a cursor
// of an epoch as ahead has the log that it is of, and has only not read it as far as another node.
export function passes(error, epoch = "") {
  const reason = reasonOf(error);
  if (reason === "SEQUENCE_AHEAD") return epoch !== "";
  return reason ? PASSING.includes(reason) : CUT.includes(error.code);
}

// Grows to 5 s, and is spread, so that a thousand clients of a server that is back do not come at once.
export function pause(failures) {
  const most = Math.min(200 * 2 ** failures, 5_000);
  return new Promise((resolve) => setTimeout(resolve, most * (0.5 + Math.random() / 2)));
}

// --- JSON -----------------------------------------------------------------------------------------------------------

export const toStruct = (object) => ({
  fields: Object.fromEntries(Object.entries(object).map(([name, value]) => [name, toValue(value)])),
});

function toValue(value) {
  if (value === null) return { nullValue: "NULL_VALUE" };
  if (typeof value === "number") return { numberValue: value };
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  return { structValue: toStruct(value) };
}

export const fromStruct = (struct) =>
  Object.fromEntries(Object.entries(struct?.fields ?? {}).map(([name, value]) => [name, fromValue(value)]));

function fromValue(value) {
  if (value.kind === "nullValue") return null;
  if (value.kind === "structValue") return fromStruct(value.structValue);
  if (value.kind === "listValue") return (value.listValue.values ?? []).map(fromValue);
  return value[value.kind];
}
