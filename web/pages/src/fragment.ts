/** The fragment of the page's address, which browsers send to no server: parts with names, such as `#line=1204`. */

export function inFragment(name: string): string | null {
  return parts().get(name);
}

/** Set a part, or take it out; the others stay. The browser's history gets no other entry, and no event says so. */
export function setInFragment(name: string, value: string | undefined): void {
  const kept = parts();
  if (value === undefined) kept.delete(name);
  else kept.set(name, value);
  const fragment = kept.toString();
  const address = location.pathname + location.search + (fragment && `#${fragment}`);
  history.replaceState(history.state, "", address);
}

function parts(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}
