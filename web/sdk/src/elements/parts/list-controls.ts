import { html, type TemplateResult } from "lit";
import type { JobState } from "../messages.js";
import { LISTED_STATES, type ListFilter } from "../model/job-list.js";
import { grouped } from "../model/plain-text.js";
import { jobLook } from "../model/state-words.js";
import { stateIcon } from "./icons.js";

/** The reader's filter, how many jobs match it, and the callbacks for another one. */
export interface ListChoices {
  readonly filter: ListFilter;
  readonly totals: ReadonlyMap<JobState, number>;
  /** Whether all jobs in a state are counted. */
  readonly isComplete: (state: JobState) => boolean;
  readonly onFilter: (filter: ListFilter) => void;
  /** The reader asks for the job whose id the search has. */
  readonly onFind: () => Promise<void>;
}

/** The controls above a list: totals by state, which filter by it, and the other filters. */
export function listControls({ filter, totals, isComplete, onFilter, onFind }: ListChoices): TemplateResult {
  const change = (part: (text: string) => Partial<ListFilter>) => (event: Event) => {
    onFilter({ ...filter, ...part((event.target as HTMLInputElement).value) });
  };
  const textFilter = (name: "kind" | "owner") =>
    html`<input
      aria-label=${name}
      placeholder=${name}
      .value=${filter[name]}
      @change=${change((text) => ({ [name]: text.trim() }))}
    />`;
  return html`<div class="totals states" role="group" aria-label="state">
      ${LISTED_STATES.map(([name, state]) => {
        const number = totals.get(state) ?? 0;
        const { shape } = jobLook(state);
        const more = isComplete(state) ? "" : "+";
        // "0+" would say nothing.
        const total = number || !more ? `${grouped(number)}${more}` : "";
        return html`<button
          class=${number || more ? "" : "none"}
          aria-pressed=${filter.states.includes(state)}
          @click=${() => {
            onFilter({ ...filter, states: toggled(filter.states, state) });
          }}
        >
          <span class=${shape}>${stateIcon(shape)}</span> ${total} ${name}
        </button>`;
      })}
    </div>
    <form
      class="filters"
      role="search"
      @submit=${(event: SubmitEvent) => {
        event.preventDefault();
        void onFind();
      }}
    >
      <input
        type="search"
        name="q"
        aria-label="search by id, kind, owner or label"
        placeholder="search, or an id  /"
        .value=${filter.search}
        @input=${change((search) => ({ search }))}
      />
      ${textFilter("kind")} ${textFilter("owner")}
      <input
        aria-label="label"
        placeholder="label key=value"
        .value=${filter.labels.join(" ")}
        @change=${change((text) => ({ labels: text.split(/\s+/).filter(Boolean) }))}
      />
      <button hidden></button>
    </form>`;
}

/** What the columns are, for eyes: the cells of a row say themselves what they are. */
export function listHeadings(): TemplateResult {
  return html`<div class="headings" aria-hidden="true">
    <div class="columns">
      <span>state</span><span class="name">job</span><span class="owner">owner</span><span>progress</span
      ><span class="remaining number">time</span><span class="number">submitted</span
      ><span class="worker">worker</span><span class="runs-cell">last runs</span>
    </div>
  </div>`;
}

function toggled(states: readonly JobState[], state: JobState): readonly JobState[] {
  return states.includes(state) ? states.filter((other) => other !== state) : [...states, state];
}
