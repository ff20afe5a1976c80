/** Jobs as the rows of a list: what runs, what waits, what has ended. */

import { Dispatch, JobState, type Job } from "../messages.js";
import { instantOf, type Instant } from "./instants.js";
import { hasEnded } from "../../job-states.js";
import { isActive } from "./state-words.js";

/** What the reader asked for. It stands in the address of the page, so that a view can be sent. */
export interface ListFilter {
  readonly states: readonly JobState[];
  readonly kind: string;
  readonly owner: string;
  /** `key=value`, or a key. */
  readonly labels: readonly string[];
  /** Part of an id, a kind, an owner or a label. */
  readonly search: string;
}

export const NO_FILTER: ListFilter = { states: [], kind: "", owner: "", labels: [], search: "" };

const NAMES: readonly (readonly [string, JobState])[] = [
  ["queued", JobState.QUEUED],
  ["running", JobState.RUNNING],
  ["cancelling", JobState.CANCELLING],
  ["succeeded", JobState.SUCCEEDED],
  ["failed", JobState.FAILED],
  ["cancelled", JobState.CANCELLED],
  ["lost", JobState.LOST],
];

/** States in the order in which they are shown, with their names in addresses. */
export const LISTED_STATES = NAMES;

/** The filter in the query of an address; what is unknown in it is left out. */
export function filterOf(query: string): ListFilter {
  const values = new URLSearchParams(query);
  const wanted = (values.get("state") ?? "").split(",");
  return {
    states: NAMES.filter(([name]) => wanted.includes(name)).map(([, state]) => state),
    kind: values.get("kind") ?? "",
    owner: values.get("owner") ?? "",
    labels: values.getAll("label").filter(Boolean),
    search: values.get("q") ?? "",
  };
}

/** The query of an address that shows `filter`; empty for everything. */
export function queryOf(filter: ListFilter): string {
  const values = new URLSearchParams();
  const states = NAMES.filter(([, state]) => filter.states.includes(state)).map(([name]) => name);
  if (states.length > 0) values.set("state", states.join(","));
  if (filter.kind) values.set("kind", filter.kind);
  if (filter.owner) values.set("owner", filter.owner);
  for (const label of filter.labels) values.append("label", label);
  if (filter.search) values.set("q", filter.search);
  const query = values.toString();
  return query && `?${query}`;
}

/** Labels that the server can filter by: those with a value. */
export function labelPairs(labels: readonly string[]): Record<string, string> {
  const pairs = labels.map((label) => label.split("=")).filter((parts) => parts.length > 1);
  return Object.fromEntries(pairs.map(([key = "", ...value]) => [key, value.join("=")]));
}

export function matches(job: Job, filter: ListFilter): boolean {
  const { states, kind, owner, labels, search } = filter;
  if (states.length > 0 && !states.includes(job.state)) return false;
  if ((kind && job.kind !== kind) || (owner && job.owner !== owner)) return false;
  for (const label of labels) {
    const [key = "", ...value] = label.split("=");
    if (value.length > 0 ? job.labels[key] !== value.join("=") : !(key in job.labels)) return false;
  }
  if (!search) return true;
  const needle = search.toLowerCase();
  const texts = [job.jobId, job.kind, job.owner, ...Object.entries(job.labels).map((pair) => pair.join("="))];
  return texts.some((text) => text.toLowerCase().includes(needle));
}

export type Group = "running" | "waiting" | "ended today" | "ended before";

export type ListRow =
  | { readonly type: "group"; readonly key: Group; readonly count: number }
  | {
      readonly type: "job";
      readonly key: string;
      /** Number of its ancestors among the rows above it. */
      readonly depth: number;
    };

/**
 * The rows of the jobs that match, in groups: what runs, then what waits, then what has ended, the newest first.
 *
 * A child stands below its parent, if that is in the same group.
 */
export function listRows(jobs: Iterable<Job>, filter: ListFilter, now: Instant): ListRow[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const groups = new Map<Group, Job[]>([
    ["running", []],
    ["waiting", []],
    ["ended today", []],
    ["ended before", []],
  ]);
  for (const job of jobs) if (matches(job, filter)) groups.get(groupOf(job, midnight))?.push(job);
  const rows: ListRow[] = [];
  for (const [key, group] of groups) {
    if (group.length === 0) continue;
    const times = new Map(group.map((job) => [job, orderOf(job)]));
    group.sort((a, b) => (times.get(b) ?? 0) - (times.get(a) ?? 0) || (a.jobId < b.jobId ? 1 : -1));
    rows.push({ type: "group", key, count: group.length });
    addNested(rows, group);
  }
  return rows;
}

function addNested(rows: ListRow[], group: readonly Job[]): void {
  const ids = new Set(group.map((job) => job.jobId));
  const children = new Map<string, Job[]>();
  const tops = group.filter((job) => {
    if (!job.parentJobId || !ids.has(job.parentJobId)) return true;
    const siblings = children.get(job.parentJobId);
    if (siblings) siblings.push(job);
    else children.set(job.parentJobId, [job]);
    return false;
  });
  // With a stack, since a chain of descendants may be as long as the group.
  const next = tops.reverse().map((job) => ({ job, depth: 0 }));
  for (let place = next.pop(); place; place = next.pop()) {
    const { job, depth } = place;
    rows.push({ type: "job", key: job.jobId, depth });
    for (const child of (children.get(job.jobId) ?? []).reverse())
      next.push({ job: child, depth: depth + 1 });
  }
}

/** The number of jobs in each state, of those that match but for their state. */
export function totals(jobs: Iterable<Job>, filter: ListFilter): ReadonlyMap<JobState, number> {
  const counts = new Map<JobState, number>();
  const anyState = { ...filter, states: [] };
  for (const job of jobs) if (matches(job, anyState)) counts.set(job.state, (counts.get(job.state) ?? 0) + 1);
  return counts;
}

/** A run of a kind that has ended, for the small bars. */
export interface Run {
  readonly state: JobState;
  /** Seconds that its last attempt took, as in the history of its kind. */
  readonly seconds: number;
}

/** The newest `limit` ended runs of each kind, oldest first. */
export function lastRuns(jobs: Iterable<Job>, limit: number): ReadonlyMap<string, readonly Run[]> {
  const ended = new Map<string, [Instant, Run][]>();
  for (const job of jobs) {
    const end = instantOf(job.endTime);
    if (end === undefined || !hasEnded(job)) continue;
    const start = instantOf(job.startTime) ?? end;
    const run: [Instant, Run] = [end, { state: job.state, seconds: (end - start) / 1000 }];
    const runs = ended.get(job.kind);
    if (runs) runs.push(run);
    else ended.set(job.kind, [run]);
  }
  return new Map(
    [...ended].map(([kind, runs]) => [
      kind,
      runs
        .sort(([a], [b]) => a - b)
        .slice(-limit)
        .map(([, run]) => run),
    ]),
  );
}

/** Whether it matters that no worker is connected: not where engines claim all jobs. */
export function needsWorkers(jobs: Iterable<Job>): boolean {
  let hasJobs = false;
  for (const { dispatch } of jobs) {
    if (dispatch !== Dispatch.EXTERNAL) return true;
    hasJobs = true;
  }
  return !hasJobs;
}

function groupOf(job: Job, midnight: Instant): Group {
  if (isActive(job)) return "running";
  if (!hasEnded(job)) return "waiting";
  return (instantOf(job.endTime) ?? 0) >= midnight ? "ended today" : "ended before";
}

function orderOf(job: Job): Instant {
  return instantOf(hasEnded(job) ? job.endTime : job.submitTime) ?? 0;
}
