import { noChange } from "lit";
import { Directive, type ElementPart, directive } from "lit/directive.js";

/** Values of CSS properties, by name; undefined removes one. */
export type Vars = Readonly<Record<string, string | undefined>>;

class VarsDirective extends Directive {
  #set: Vars = {};

  /** As the text of an attribute, where there is no element to set them on. */
  render(values: Vars): unknown {
    return Object.entries(values)
      .map(([name, value]) => `${name}:${value ?? ""}`)
      .join(";");
  }

  override update(part: ElementPart, [values]: [Vars]): unknown {
    const { style } = part.element as HTMLElement;
    for (const name of Object.keys(this.#set)) if (!(name in values)) style.removeProperty(name);
    for (const [name, value] of Object.entries(values)) {
      if (value === this.#set[name]) continue;
      if (value === undefined) style.removeProperty(name);
      else style.setProperty(name, value);
    }
    this.#set = values;
    return noChange;
  }
}

/** Set CSS properties of an element by script, which a strict CSP allows, other than the attribute `style`. */
export const vars = directive(VarsDirective);
