/** The servers that elements of this page speak to. */

import type { Token } from "../../token.js";
import { createClient } from "../../web-client.js";
import type { ListFilter } from "../model/job-list.js";
import { JobStore } from "./job-store.js";
import { JobsStore } from "./jobs-store.js";
import { ProgressHub } from "./progress-hub.js";
import { ServerConnection } from "./server-connection.js";
import { dropUnshown } from "./unshown-jobs.js";
import type { WatchedJob } from "./watched-job.js";

/** Jobs whose elements are gone that a page keeps, with their logs, for when they are shown again. */
const KEPT_JOBS = 8;

/** One server, with what this page knows of its jobs. */
export class Server extends ServerConnection {
  readonly #jobs = new Map<string, JobStore>();
  #hub: ProgressHub | undefined;
  #list: JobsStore | undefined;

  /** The one store of a job, which all elements that show it share. */
  job(jobId: string): JobStore {
    let store = this.#jobs.get(jobId);
    if (!store) {
      dropUnshown(this.#jobs, KEPT_JOBS);
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
}

const servers = new Map<string, Server>();
// A page that loads `…/assets/elements.js` from a server shows that server's jobs.
const script = new URL(import.meta.url);
let defaultAddress = script.pathname.endsWith("/assets/elements.js") ? new URL("..", script).href : "/";
let defaultToken: Token | undefined;
let sharedToken = "";

/** The server at `address`, by default the one that was set, that the script came from, or the page's own origin. */
export function serverAt(address = ""): Server {
  const root = new URL(address || defaultAddress, document.baseURI).href.replace(/\/?$/, "/");
  let server = servers.get(root);
  if (!server) {
    const token = defaultToken === undefined ? {} : { token: defaultToken };
    server = new Server(root, createClient({ baseUrl: root.slice(0, -1), ...token }), sharedToken);
    servers.set(root, server);
  }
  return server;
}

/** Options of all elements of a page; set them before any is on the page. */
export interface ElementOptions {
  /** Address of the server of elements that name none. */
  readonly server?: string;
  /** The bearer token, or a function that returns one. */
  readonly token?: Token;
  /** The token of a share link; links to the job's children carry it, too. */
  readonly sharedToken?: string;
}

export function configure(options: ElementOptions): void {
  defaultAddress = options.server ?? defaultAddress;
  sharedToken = options.sharedToken ?? sharedToken;
  defaultToken = options.token ?? options.sharedToken ?? defaultToken;
}
