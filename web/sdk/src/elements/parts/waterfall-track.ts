import { html, nothing, type TemplateResult } from "lit";
import type { Segment, TimeScale } from "../model/waterfall.js";
import { vars } from "./vars-directive.js";

/** A bar of the waterfall with its parts, on the lines of the scale. */
export function track(segments: readonly Segment[], scale: TimeScale, shape = "running"): TemplateResult {
  const tick = scale.ticks[1]?.at ?? 1;
  return html`<div
    class="track ${shape}"
    part="track"
    aria-hidden="true"
    ${vars({ "--tick": `${tick}`, "--now": `${scale.now ?? 0}` })}
  >
    ${scale.now === undefined ? nothing : html`<div class="now"></div>`}
    ${segments.map(
      ({ part, from, to, broken, attempt }) =>
        html`<div
          class="segment part-${part} ${broken ? "broken" : ""}"
          title=${part === "earlier" ? `attempt ${attempt}` : part}
          ${vars({ "--from": from.toFixed(5), "--to": to.toFixed(5) })}
        ></div>`,
    )}
  </div>`;
}
