import { html, nothing, type TemplateResult } from "lit";
import type { Segment, TimeScale } from "../model/waterfall.js";
import { vars } from "./vars-directive.js";

/** A bar of the waterfall with its parts, on the lines of the scale; `marked` shows where a wait is folded. */
export function track(
  segments: readonly Segment[],
  scale: TimeScale,
  shape = "running",
  marked = false,
): TemplateResult {
  const [origin = 0, next = 1] = scale.ticks.map(({ at }) => at);
  return html`<div
    class="track ${shape}"
    part="track"
    aria-hidden="true"
    ${vars({ "--origin": `${origin}`, "--tick": `${(next - origin) / (1 - origin)}`, "--now": `${scale.now ?? 0}` })}
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
    ${marked && scale.folded !== undefined ? html`<div class="fold-mark">//</div>` : nothing}
  </div>`;
}
