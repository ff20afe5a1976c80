import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import type { JobStore } from "../live/job-store.js";
import { ticker } from "../live/ticker.js";
import type { Event } from "../messages.js";
import { absolute, clock, instantOf } from "../model/instants.js";
import { count, grouped, printable } from "../model/plain-text.js";
import { ScrollPosition } from "../model/scroll-position.js";
import { followButton } from "../parts/log-controls.js";
import { foldIcon } from "../parts/icons.js";
import { sharedStyles } from "../parts/shared-styles.js";
import { StoreElement } from "../parts/store-element.js";
import { vars } from "../parts/vars-directive.js";
import { eventJson } from "./event-json.js";
import { EventLayout, type EventRow } from "./event-layout.js";
import { EventPages } from "./event-pages.js";
import { type StagesById, eventText } from "./event-text.js";
import { eventsStyles } from "./events-styles.js";

/** As near to the end as this many pixels, the view follows again. */
const AT_END = 4;

/** The events of a job, any number of them: those in sight are loaded and drawn, and the newest come as they happen. */
export class EventsView extends StoreElement<JobStore> {
  static override properties = { follow: { type: Boolean }, event: { attribute: false } };
  static override styles = [sharedStyles, eventsStyles];
  /** Whether the newest event is kept in sight. */
  declare follow: boolean;
  /** The sequence of the event that is marked; 0 for none. It is brought into sight. `milepost-event` says which the reader marks. */
  declare event: number;
  #reading: JobStore | undefined;
  #layout: EventLayout | undefined;
  readonly #position = new ScrollPosition();
  #leave = (): void => undefined;
  #untick = (): void => undefined;
  readonly #resized = new ResizeObserver(() => {
    this.requestUpdate();
  });

  constructor() {
    super();
    this.follow = true;
    this.event = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resized.observe(this);
    this.#untick = ticker.add(() => {
      const pages = this.#layout?.pages;
      if (pages?.retries.areDue) pages.retry();
    });
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
    this.#untick();
    this.#leave();
    this.#reading = undefined;
  }

  protected override forget(changed: PropertyValues): void {
    this.#layout?.unfolded.clear();
    this.follow = true;
    if (!changed.has("event")) this.event = 0;
  }

  readonly toggleFollow = (): void => {
    this.follow = !this.follow;
  };

  protected override willUpdate(changed: PropertyValues): void {
    const isAskedToFollow = this.follow && changed.has("follow");
    if (this.#view && !isAskedToFollow && this.#position.hasMoved(this.#view)) this.#scrolled();
    super.willUpdate(changed);
    this.#read();
    const layout = this.#layout;
    if (!layout) return;
    if (changed.has("event") && this.event > 0 && !layout.unfolded.has(this.event)) this.#show(layout);
    layout.update(this.#view?.clientHeight ?? 400);
    if (this.follow) layout.moveToEnd();
  }

  override render(): TemplateResult | typeof nothing {
    const { store } = this;
    const layout = this.#layout;
    if (!store || !layout) return nothing;
    const { pages } = layout;
    const number = Math.max(pages.last - pages.first + 1, 0);
    return html`<div class="controls">
        <label
          >go to event
          <input inputmode="numeric" placeholder="${pages.first}–${pages.last}" @change=${this.#goTo}
        /></label>
        <span class="muted count">${count(number, "event")}</span>
        ${followButton(this.follow, store.isEnded, this.toggleFollow)}
      </div>
      ${number === 0 ? html`<p class="notice muted">The events of this job are not kept any more.</p>` : nothing}
      <div
        class="view"
        part="events"
        role="group"
        aria-label="events"
        tabindex="0"
        ?hidden=${number === 0}
        @scroll=${this.#scrolled}
      >
        <div class="area" ${vars({ height: `${layout.map.height}px` })}>${this.#rows(layout, store)}</div>
      </div>
      ${
        pages.error
          ? html`<p class="notice failed" role="alert">
              The events could not be loaded: ${pages.error}
              <button
                @click=${() => {
                  pages.retry();
                }}
              >
                try again
              </button>
            </p>`
          : nothing
      }`;
  }

  #rows(layout: EventLayout, { job }: JobStore): TemplateResult {
    const { rows, offset } = layout.window();
    const stages: StagesById = new Map(job?.stages.map((stage) => [stage.stageId, stage]));
    return html`<div
      class="rows"
      role="list"
      ${vars({ transform: `translateY(${offset}px)`, "--sequence-width": `${grouped(layout.pages.last).length}ch` })}
    >
      ${repeat(
        rows,
        ({ sequence }) => sequence,
        (row) => this.#row(row, layout, stages),
      )}
    </div>`;
  }

  #row({ sequence, event, superseded }: EventRow, layout: EventLayout, stages: StagesById): TemplateResult {
    const isOpen = layout.unfolded.has(sequence);
    const time = event && instantOf(event.time);
    const before = superseded > 0 ? `after ${grouped(superseded)} superseded · ` : "";
    return html`<div role="listitem">
      <div class="row ${sequence === this.event ? "marked" : ""}">
        <button
          class="event"
          ?disabled=${!event}
          aria-expanded=${isOpen}
          aria-current=${sequence === this.event ? "true" : nothing}
          @click=${() => {
            this.#toggle(layout, sequence);
          }}
        >
          ${foldIcon(isOpen)}<span class="sequence muted">${grouped(sequence)}</span>
          <time class="muted" title=${time === undefined ? nothing : absolute(time)}
            >${time === undefined ? "" : clock(time)}</time
          >
          <span class="what cut foreign"
            ><span class="muted" title="progress that later progress replaced">${before}</span
            >${event ? eventText(event, stages) : "…"}</span
          >
        </button>
        <milepost-copy
          .text=${`${layout.pages.epoch}:${sequence}`}
          .label=${`copy the cursor of event ${sequence}`}
        ></milepost-copy>
      </div>
      ${isOpen && event ? guard([event], () => payload(event)) : nothing}
    </div>`;
  }

  protected override updated(): void {
    const view = this.#view;
    const layout = this.#layout;
    if (!view || !layout) return;
    this.#position.put(view, layout.map.position);
    let isNews = false;
    for (const each of this.renderRoot.querySelectorAll<HTMLElement>(".payload")) {
      const sequence = Number(each.dataset["sequence"]);
      isNews ||= layout.unfolded.get(sequence) !== each.offsetHeight;
      layout.unfolded.set(sequence, each.offsetHeight);
    }
    if (isNews) this.requestUpdate();
    const { from, to } = layout.pagesInSight;
    layout.pages.want(from, to);
  }

  /** Read the events of the store, from its newest on. */
  #read(): void {
    const { store } = this;
    if (store === this.#reading || !this.isConnected) return;
    this.#leave();
    this.#reading = store;
    this.#layout = undefined;
    this.follow = true;
    if (!store) return;
    const pages = new EventPages(store.server.client, store.jobId, () => {
      this.requestUpdate();
    });
    this.#layout = new EventLayout(pages);
    const leave = store.read(pages);
    this.#leave = () => {
      leave();
      pages.close();
    };
  }

  /** Bring the marked event into sight, unfolded. */
  #show(layout: EventLayout): void {
    const { first, last } = layout.pages;
    this.event = Math.min(Math.max(this.event, first), last);
    if (!layout.unfolded.has(this.event)) layout.unfolded.set(this.event, 0);
    layout.moveTo(this.event);
    this.follow = false;
  }

  #toggle(layout: EventLayout, sequence: number): void {
    const isOpen = layout.unfolded.delete(sequence);
    if (!isOpen) layout.unfolded.set(sequence, 0);
    this.follow = false;
    if (!isOpen || sequence === this.event) this.#mark(isOpen ? 0 : sequence);
    this.requestUpdate();
  }

  #mark(sequence: number): void {
    this.event = sequence;
    const detail = { event: sequence };
    this.dispatchEvent(new CustomEvent("milepost-event", { detail, bubbles: true, composed: true }));
  }

  readonly #goTo = (event: InputEvent): void => {
    const layout = this.#layout;
    const sequence = Number((event.target as HTMLInputElement).value.replace(/\D/g, ""));
    if (!layout || sequence === 0) return;
    this.event = sequence;
    this.#show(layout);
    this.#mark(this.event);
    this.requestUpdate();
  };

  readonly #scrolled = (): void => {
    const view = this.#view;
    const map = this.#layout?.map;
    if (!view || !map || Math.abs(view.scrollTop - map.position) <= 1) return;
    const position = this.#layout?.scrolled(view.scrollTop) ?? 0;
    if (Math.abs(position - view.scrollTop) > 1) view.scrollTop = position;
    this.follow = map.bottom - map.top <= AT_END;
    this.requestUpdate();
  };

  get #view(): HTMLElement | null {
    return this.renderRoot.querySelector(".view");
  }
}

function payload(event: Event): TemplateResult {
  const text = eventJson(event);
  return html`<div class="payload" data-sequence=${`${event.sequence}`}>
    <milepost-copy .text=${text} .label=${"copy the event as JSON"}></milepost-copy>
    <pre class="foreign mono" tabindex="0" aria-label="event as JSON">${printable(text)}</pre>
  </div>`;
}
