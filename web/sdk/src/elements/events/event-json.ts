/** An event as ProtoJSON. */

import { toJson } from "@bufbuild/protobuf";
import { EventSchema, type Event } from "../messages.js";

/** Indented. A message of the application, whose type the page does not know, is as the server writes it: its bytes in base64. */
export function eventJson(event: Event): string {
  const { payload } = event;
  if (payload.case !== "custom" || payload.value.data.case !== "proto")
    return JSON.stringify(toJson(EventSchema, event), undefined, 2);
  const { typeUrl, value } = payload.value.data.value;
  const json = toJson(EventSchema, {
    ...event,
    payload: { case: "custom", value: { ...payload.value, data: { case: undefined } } },
  }) as { custom: object };
  const bytes = Array.from(value, (byte) => String.fromCharCode(byte)).join("");
  const proto = { "@type": typeUrl, value: btoa(bytes) };
  return JSON.stringify({ ...json, custom: { ...json.custom, proto } }, undefined, 2);
}
