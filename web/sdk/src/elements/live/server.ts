/** The servers that elements of this page speak to. */

import type { MilepostClient } from "../../client.js";
import type { Token } from "../../token.js";
import { createClient } from "../../web-client.js";
import type { ListFilter } from "../model/job-list.js";
import { JobStore } from "./job-store.js";
import { JobsStore } from "./jobs-store.js";
import { ProgressHub } from "./progress-hub.js";
import { ServerClock } from "./server-clock.js";
import type { WatchedJob } from "./watched-job.js";

/** One server, with what this page knows of its jobs. */
export class Server {
  readonly clock = new ServerClock();
  readonly #jobs = new Map<string, JobStore>();
  #hub: ProgressHub | undefined;
  #list: JobsStore | undefined;

  constructor(
    /** Address of the server's root, with a slash at its end. */
    readonly address: string,
    readonly client: MilepostClient,
  ) {}

  /** The one store of a job, which all elements that show it share. */
  job(jobId: string): JobStore {
    let store = this.#jobs.get(jobId);
    if (!store) {
      store = new JobStore(this, jobId);
      this.#jobs.set(jobId, store);
    }
    return store;
  }

  /** A job of which no more than its progress is shown. All of these share one stream. */
  progressOf(jobId: string): WatchedJob {
    this.#hub ??= new ProgressHub(this);
    return this.#jobs.get(jobId) ?? this.#hub.job(jobId);
  }

  /** The store of the jobs that match `filter`. Filters that the server does not know share one store. */
  jobs(filter: ListFilter): JobsStore {
    if (!this.#list?.covers(filter)) this.#list = new JobsStore(this, filter);
    return this.#list;
  }

  /** The page of a job. */
  jobAddress(jobId: string): string {
    return `${this.address}jobs/${encodeURIComponent(jobId)}`;
  }
}

const servers = new Map<string, Server>();
let defaultAddress = "";
let defaultToken: Token | undefined;

/** The server at `address`, by default the one that was set, else the page's own origin. */
export function serverAt(address = ""): Server {
  const root = new URL(address || defaultAddress || "/", document.baseURI).href.replace(/\/?$/, "/");
  let server = servers.get(root);
  if (!server) {
    const token = defaultToken === undefined ? {} : { token: defaultToken };
    server = new Server(root, createClient({ baseUrl: root.slice(0, -1), ...token }));
    servers.set(root, server);
  }
  return server;
}

/** Set the server of elements that name none, and the token for all servers. Call it before any element is on the page. */
export function configure(options: { readonly server?: string; readonly token?: Token }): void {
  if (options.server !== undefined) defaultAddress = options.server;
  if (options.token !== undefined) defaultToken = options.token;
}
