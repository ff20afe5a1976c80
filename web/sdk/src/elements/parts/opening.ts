/** Ask the host page whether the page of a job is to be opened: not where it shows the job itself. */
export function mayOpen(element: HTMLElement, jobId: string): boolean {
  return element.dispatchEvent(
    new CustomEvent("milepost-open", { detail: { jobId }, bubbles: true, composed: true, cancelable: true }),
  );
}

/** A link to another job was clicked. A new tab or window opens the job's own page. */
export function onOpen(event: MouseEvent, jobId: string): void {
  const isHere = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (isHere && !mayOpen(event.currentTarget as HTMLElement, jobId)) event.preventDefault();
}
