import { type Code, ConnectError } from "@connectrpc/connect";
import type { Reason } from "@milepost/client";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";

/** What a call or a stream throws where the server refuses it, for servers within a test. */
export function refusal(code: Code, reason: Reason): ConnectError {
  const info = { desc: ErrorInfoSchema, value: { domain: "milepost.v1", reason } };
  return new ConnectError(reason, code, undefined, [info]);
}
