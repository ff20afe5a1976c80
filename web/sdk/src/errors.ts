/** The errors of the client, one tree under `MilepostError`. */
import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { ErrorReason } from "./gen/milepost/v1/error_reason_pb.js";
import { durationMs } from "./time.js";

/** Why the service refused a call, for programs; `"UNSPECIFIED"` if it gave no reason that this client knows. */
export type Reason = keyof typeof ErrorReason;

/** Base of all errors of this package. */
export class MilepostError extends Error {
  override name = "MilepostError";
}

/** The server cannot be reached, or the connection was cut. */
export class Unreachable extends MilepostError {
  override name = "Unreachable";

  constructor(
    /** The cause in a few words. */
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`The server cannot be reached: ${why}`, options);
  }
}

/** Nothing was received for so long that the connection counts as lost. */
export class Silent extends Unreachable {
  override name = "Silent";

  constructor(ms: number) {
    super(`nothing was received for ${ms / 1000} s`);
  }
}

/** The server answers calls, but no stream gets through: a proxy cuts streams or holds them back. */
export class StreamsBlocked extends MilepostError {
  override name = "StreamsBlocked";

  constructor() {
    super(
      "The server answers calls, but no stream gets through: a proxy in between cuts them off or holds them back.",
    );
  }
}

/** No token could be obtained: the function for tokens failed. */
export class TokenUnavailable extends MilepostError {
  override name = "TokenUnavailable";

  constructor(why: string, options?: ErrorOptions) {
    super(`No token could be obtained: ${why.replace(/\.$/, "")}.`, options);
  }
}

/** The server violated the contract. */
export class ProtocolError extends MilepostError {
  override name = "ProtocolError";
}

/** A field of a request that is out of bounds. */
export interface FieldViolation {
  /** Path of the field. */
  readonly field: string;
  /** What is wrong with it, for people. */
  readonly description: string;
}

/** What a refusal says besides its message. */
export interface Refusal {
  /** Why, for programs; `"UNSPECIFIED"` if the service gave no reason that this client knows. */
  readonly reason: Reason;
  /** Code of gRPC and Connect. */
  readonly code: Code;
  /** Details of the reason, such as `job_id`; `ErrorReason` lists them. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The fields that are refused; empty unless the reason is `"INVALID_FIELD"` or `"TOO_LARGE"`. */
  readonly violations: readonly FieldViolation[];
  /** Milliseconds to wait before a retry, if the server says so. */
  readonly retryDelayMs: number | undefined;
}

/** The service refused a call. */
export class ServiceError extends MilepostError implements Refusal {
  override name = "ServiceError";
  readonly reason: Reason;
  readonly code: Code;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  readonly retryDelayMs: number | undefined;

  constructor(message: string, details: Partial<Refusal> & Pick<Refusal, "code">, options?: ErrorOptions) {
    super(message, options);
    this.reason = details.reason ?? "UNSPECIFIED";
    this.code = details.code;
    this.metadata = details.metadata ?? {};
    this.violations = details.violations ?? [];
    this.retryDelayMs = details.retryDelayMs;
  }
}

/** Whether `error` is a refusal of the service for one of these reasons. */
export function hasReason(error: unknown, ...reasons: readonly Reason[]): error is ServiceError {
  return error instanceof ServiceError && reasons.includes(error.reason);
}

/** Codes that mean a broken connection if the service gave no reason; see docs/clients.md. UNKNOWN is a fetch that failed. */
const CUT = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Unknown, Code.Canceled, Code.Aborted]);

/** The error of this package for what a call or a stream threw. */
export function toMilepostError(thrown: unknown): MilepostError {
  if (thrown instanceof MilepostError) {
    return thrown;
  }
  const error = ConnectError.from(thrown);
  const options = { cause: thrown };
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === "milepost.v1");
  if (info === undefined && (CUT.has(error.code) || isOfSystem(error))) {
    return new Unreachable(error.rawMessage, options);
  }
  const retryDelay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const violations = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  return new ServiceError(
    error.rawMessage || Code[error.code],
    {
      reason: toReason(info?.reason),
      code: error.code,
      metadata: info?.metadata,
      violations: violations.map(({ field, description }) => ({ field, description })),
      retryDelayMs: retryDelay && durationMs(retryDelay),
    },
    options,
  );
}

/** Whether to open a stream again after `error`. `patient`: also if a limit is reached. */
export function isTransient(error: MilepostError, patient: boolean): boolean {
  if (error instanceof ServiceError) {
    if (error.reason === "LIMIT_REACHED") {
      // The server may still count the streams of the lost connection. Limits on memory pass by themselves.
      return patient || (error.metadata["limit"]?.endsWith("-memory") ?? false);
    }
    return [Code.Unavailable, Code.Canceled].includes(error.code) || isUnexplained(error);
  }
  return error instanceof Unreachable || error instanceof TokenUnavailable;
}

/** Whether this may be a stream that a proxy has reset, or a fault of the server: both come without a reason. */
export function isUnexplained(error: MilepostError): boolean {
  return error instanceof ServiceError && error.reason === "UNSPECIFIED" && error.code === Code.Internal;
}

/** Whether a call of the operating system has failed, such as with EHOSTUNREACH, which Connect calls INTERNAL in Node. */
function isOfSystem({ cause }: ConnectError): boolean {
  return cause instanceof Error && "syscall" in cause;
}

function toReason(name: string | undefined): Reason {
  return name !== undefined && Object.hasOwn(ErrorReason, name) && Number.isNaN(Number(name))
    ? (name as Reason)
    : "UNSPECIFIED";
}
