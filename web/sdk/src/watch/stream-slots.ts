/** Hands out the right to hold a long stream open. */
export interface StreamSlots {
  /** Take a slot; resolves with the function that gives it back, or with undefined if none is free. */
  take(): Promise<(() => void) | undefined>;
}

/** As many streams as one likes. */
export const UNLIMITED_SLOTS: StreamSlots = {
  take: () => Promise.resolve(() => undefined),
};
