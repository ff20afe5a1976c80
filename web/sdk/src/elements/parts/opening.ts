/** Ask the host page whether the page of a job is to be opened: not where it shows the job itself. */
export function mayOpen(element: HTMLElement, jobId: string): boolean {
  return element.dispatchEvent(
    new CustomEvent("milepost-open", { detail: { jobId }, bubbles: true, composed: true, cancelable: true }),
  );
}
