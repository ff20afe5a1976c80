/** An event in a line for people. */

import { JobState, type Event, type Stage } from "../messages.js";
import { elapsed, instantOf } from "../model/instants.js";
import { amount, count, grouped, oneLine, percent } from "../model/plain-text.js";
import { jobLook, severityWord, stageLook } from "../model/state-words.js";

const LENGTH = 300;
/** Stages of a plan that are named. */
const NAMED = 8;

/** The stages of a job by id. */
export type StagesById = ReadonlyMap<string, Stage>;

/** What happened. An event of a later version has none of its own. */
export function eventText({ payload, attempt, time }: Event, stages: StagesById): string {
  const nameOf = (stageId: string): string => {
    const { title = "" } = stages.get(stageId) ?? {};
    return oneLine(title || stageId, 64);
  };
  const until = (end: Parameters<typeof instantOf>[0] | undefined): number =>
    ((instantOf(end) ?? 0) - (instantOf(time) ?? 0)) / 1000;
  switch (payload.case) {
    case "jobSubmitted": {
      const { kind = "", submittedBy = "" } = payload.value.job ?? {};
      return joined(`${oneLine(kind, 64)} submitted`, submittedBy && `by ${oneLine(submittedBy, 64)}`);
    }
    case "jobStarted":
      return `attempt ${attempt} started by worker ${oneLine(payload.value.workerId, 128)}`;
    case "stagesPlanned": {
      const planned = payload.value.stages;
      const names = planned.slice(0, NAMED).map(({ stageId, title }) => oneLine(title || stageId, 64));
      if (planned.length > NAMED) names.push(`and ${grouped(planned.length - NAMED)} more`);
      const children = payload.value.plannedChildren;
      const plan = [];
      if (planned.length > 0 || !children)
        plan.push([count(planned.length, "stage"), names.join(", ")].filter(Boolean).join(": "));
      if (children) plan.push(children === 1 ? "1 child" : `${grouped(children)} children`);
      return `planned ${plan.join("; ")}`;
    }
    case "stageStarted": {
      const { stageId = "", title = "", message = "" } = payload.value.stage ?? {};
      return said(`${title ? oneLine(title, 64) : nameOf(stageId)}: started`, oneLine(message, LENGTH));
    }
    case "stageProgressed": {
      const { stageId, current, total, unit, message, fraction } = payload.value;
      const stage = stages.get(stageId);
      const of = total ?? stage?.total;
      const done = of === undefined ? "" : percent(fraction);
      const numbers = amount(current, of, unit || (stage?.unit ?? ""));
      return `${nameOf(stageId)}: ${said(joined(done, numbers), oneLine(message, LENGTH))}`;
    }
    case "stageEnded": {
      const { stageId, state, message, failure } = payload.value;
      const why = failure && (oneLine(failure.message, LENGTH) || failure.code);
      return said(`${nameOf(stageId)}: ${stageLook(state).word}`, why, oneLine(message, LENGTH));
    }
    case "logWritten": {
      const { stageId, severity, text } = payload.value;
      const word = severityWord(severity);
      return `${stageId && nameOf(stageId)} | ${word === "info" ? "" : `${word}: `}${oneLine(text, LENGTH)}`.trim();
    }
    case "artifactAdded": {
      const { name = "", uri = "" } = payload.value.artifact ?? {};
      return `artifact ${oneLine(name, 128)}: ${oneLine(uri, LENGTH)}`;
    }
    case "custom": {
      const { type, data } = payload.value;
      const content = data.case === "json" ? JSON.stringify(data.value) : (data.value?.typeUrl ?? "");
      return `${oneLine(type, 128)} ${oneLine(content, LENGTH)}`;
    }
    case "cancelRequested": {
      const { requestedBy = "", reason = "", deadline } = payload.value.cancellation ?? {};
      const grace = deadline ? `, to stop within ${elapsed(until(deadline))}` : "";
      const who = requestedBy && ` by ${oneLine(requestedBy, 64)}`;
      return `cancellation requested${who}${grace}${reason && `: ${oneLine(reason, LENGTH)}`}`;
    }
    case "cancelAcknowledged":
      return "cancellation acknowledged by the worker";
    case "attemptEnded": {
      const { failure, retryTime } = payload.value;
      const wait = until(retryTime);
      const then = retryTime && wait >= 1 ? `the next one in ${elapsed(wait)}` : "back in the queue";
      return said(
        joined(`attempt ${attempt} ended`, then),
        failure && (oneLine(failure.message, LENGTH) || failure.code),
      );
    }
    case "jobEnded": {
      const { state, failure, message, forced } = payload.value;
      const why = failure && (oneLine(failure.message, LENGTH) || failure.code);
      const force = state === JobState.CANCELLED && forced ? "by force" : "";
      return said(
        joined(jobLook(state).word, force),
        why,
        message === failure?.message ? "" : oneLine(message, LENGTH),
      );
    }
    case "childrenProgressed": {
      const { ended, total, jobFraction } = payload.value;
      return `${grouped(ended)} of ${total === 1 ? "1 child" : `${grouped(total)} children`} ended, ${percent(jobFraction)}`;
    }
    case undefined:
      return "something that this page does not know yet";
  }
}

function joined(...words: (string | undefined)[]): string {
  return words.filter(Boolean).join(", ");
}

/** What happened, and what a worker said of it in sentences of its own. */
function said(...parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join(" · ");
}
