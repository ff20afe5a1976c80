/** Hooks of React that follow jobs. */
"use client"; // Frameworks with server components run them in the browser.

import { create, toJsonString } from "@bufbuild/protobuf";
import {
  type PropsWithChildren,
  type ReactElement,
  createContext,
  createElement,
  useCallback,
  useContext,
  useMemo,
  useSyncExternalStore,
} from "react";
import type { CancelOptions, Filter, MilepostClient } from "../client.js";
import type { Job } from "../gen/milepost/v1/job_pb.js";
import { JobFilterSchema } from "../gen/milepost/v1/job_service_pb.js";
import type { Connection } from "../watch/connection.js";
import { JobStreams } from "./job-streams.js";
import { LiveJob, type JobView } from "./live-job.js";
import { LiveJobs, type JobsView } from "./live-jobs.js";

export type { JobView } from "./live-job.js";
export type { JobsView } from "./live-jobs.js";

const ClientContext = createContext<MilepostClient | undefined>(undefined);

/** Gives a client to the hooks in the components within. */
export function MilepostProvider({
  client,
  children,
}: PropsWithChildren<{ client: MilepostClient }>): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** The client of the nearest `MilepostProvider`. Throws an Error without one. */
export function useClient(): MilepostClient {
  const client = useContext(ClientContext);
  if (client === undefined) {
    throw new Error("There is no client: wrap the components in <MilepostProvider client={createClient()}>.");
  }
  return client;
}

/** What `useJob` returns. */
export interface UsedJob extends JobView {
  /** How the job is followed, in a word; `connection` has the details. */
  readonly state: Connection["state"];
  /** Cancel the job. Rejects with a MilepostError. */
  readonly cancel: (options?: CancelOptions) => Promise<Job>;
}

/** What `useJobs` returns. */
export interface UsedJobs extends JobsView {
  /** How the jobs are followed, in a word; `connection` has the details. */
  readonly state: Connection["state"];
}

/**
 * Follow one job while the component is mounted. All components of a page share one stream.
 *
 * The job is a new object whenever it has changed, at most once an animation frame; what did not change in it, such as
 * most of its stages, stays the same object.
 */
export function useJob(jobId: string): UsedJob {
  const client = useClient();
  const key = `job ${jobId}`;
  const store = useMemo(
    () => shared(client, key, (stores) => new LiveJob(streamsOf(client), jobId, stores, key)),
    [client, key, jobId],
  );
  const view = useSyncExternalStore(store.subscribe, store.getSnapshot, () => NO_JOB);
  const cancel = useCallback((options?: CancelOptions) => client.cancelJob(jobId, options), [client, jobId]);
  return { ...view, state: view.connection?.state ?? "connecting", cancel };
}

/** Follow all jobs that match a filter while the component is mounted; see `useJob`. Each filter has a stream of its own. */
export function useJobs(filter: Filter = {}): UsedJobs {
  const client = useClient();
  const key = `jobs ${toJsonString(JobFilterSchema, create(JobFilterSchema, filter))}`;
  const store = useMemo(
    () => shared(client, key, (stores) => new LiveJobs(client, filter, stores, key)),
    [client, key], // which has all that is in the filter
  );
  const view = useSyncExternalStore(store.subscribe, store.getSnapshot, () => NO_JOBS);
  return { ...view, state: view.connection?.state ?? "connecting" };
}

/** What is known where a page is rendered on a server. */
const NO_JOB: JobView = { job: undefined, waiting: undefined, connection: undefined, error: undefined };
const NO_JOBS: JobsView = { jobs: [], caughtUp: false, connection: undefined, error: undefined };

const streamsByClient = new WeakMap<MilepostClient, JobStreams>();

/** The streams of single jobs of a client, which all components share. */
function streamsOf(client: MilepostClient): JobStreams {
  const streams = streamsByClient.get(client) ?? new JobStreams(client);
  streamsByClient.set(client, streams);
  return streams;
}

const storesByClient = new WeakMap<MilepostClient, Map<string, unknown>>();

/** The store of a client with this key; made if there is none. A key belongs to one kind of store. */
function shared<Store>(
  client: MilepostClient,
  key: string,
  make: (stores: Map<string, unknown>) => Store,
): Store {
  const stores = storesByClient.get(client) ?? new Map<string, unknown>();
  storesByClient.set(client, stores);
  return (stores.get(key) as Store | undefined) ?? make(stores);
}
