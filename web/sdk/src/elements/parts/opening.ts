/** Fire `milepost-open`; return whether to open the page of the job: not where the host page shows the job itself. */
export function mayOpen(element: HTMLElement, jobId: string): boolean {
  return element.dispatchEvent(
    new CustomEvent("milepost-open", { detail: { jobId }, bubbles: true, composed: true, cancelable: true }),
  );
}

/** Handle a click on a link to a job. One that opens a new tab or window always opens the page of the job. */
export function onOpen(event: MouseEvent, jobId: string): void {
  const isHere = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (isHere && !mayOpen(event.currentTarget as HTMLElement, jobId)) event.preventDefault();
}
