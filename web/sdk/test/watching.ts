import {
  type Connection,
  Dispatch,
  type JobItem,
  type JobsItem,
  type MilepostClient,
  createClient,
} from "@milepost/client";
import { type ClientOptions } from "@milepost/client";
import { createClient as createNodeClient } from "@milepost/client/node";
import { IMPATIENT } from "../../testing/impatient.js";
import { type TcpProxy, startTcpProxy } from "../../testing/tcp-proxy.js";
import type { Server } from "../../testing/server.js";
import { type WorkedJob, claimJob } from "../../testing/worker.js";

/** How a client speaks to the server: gRPC as in Node, or Connect over fetch as in a browser. */
export type Protocol = "grpc" | "connect";

/** A server with clients, of which one goes through a proxy that misbehaves. */
export interface Setting {
  readonly server: Server;
  readonly proxy: TcpProxy;
  readonly direct: MilepostClient;
  readonly client: MilepostClient;
}

/** Put a proxy before a server. */
export async function setUp(
  server: Server,
  protocol: Protocol,
  options: ClientOptions = {},
): Promise<Setting> {
  const proxy = await startTcpProxy(protocol === "grpc" ? server.port : server.httpPort);
  const create = protocol === "grpc" ? createNodeClient : createClient;
  return {
    server,
    proxy,
    direct: createNodeClient({ baseUrl: server.baseUrl, ...options }),
    client: create({ baseUrl: proxy.baseUrl, timing: IMPATIENT, ...options }),
  };
}

/** Submit a job for the test to work on. */
export async function startJob(
  { server, direct }: Pick<Setting, "server" | "direct">,
  submission: object = {},
): Promise<WorkedJob> {
  const job = await direct.submitJob({ kind: "test", dispatch: Dispatch.EXTERNAL, ...submission });
  return claimJob(server.baseUrl, job.jobId);
}

/** Collect the items of a watch until its end, while the test goes on. */
export function collect<Item>(watch: AsyncIterable<Item>): { items: Item[]; end: Promise<void> } {
  const items: Item[] = [];
  const end = (async () => {
    for await (const item of watch) {
      items.push(item);
    }
  })();
  end.catch(() => undefined); // the test awaits it later
  return { items, end };
}

/** The sequences of the events among the items. */
export function sequencesOf(items: readonly (JobItem | JobsItem)[]): bigint[] {
  return items.flatMap((item) => (item.type === "event" ? item.event.sequence : []));
}

/** 1, 2, 3 … */
export function oneTo(count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => BigInt(index + 1));
}

/** The states that a connection went through, each once in a row. */
export function statesOf(connections: readonly Connection[]): string[] {
  return connections.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
}
