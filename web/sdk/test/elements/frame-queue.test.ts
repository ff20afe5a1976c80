import { afterEach, expect, test, vi } from "vitest";
import { FrameQueue } from "../../src/elements/live/frame-queue.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("all who wait to add items go on once there is room", async () => {
  const frames: (() => void)[] = [];
  vi.stubGlobal("requestAnimationFrame", (draw: () => void) => frames.push(draw));
  const taken: number[] = [];
  const queue = new FrameQueue<number>((items) => taken.push(...items));
  const resumed: string[] = [];
  void queue.add(new Array<number>(10_000).fill(1)).then(() => resumed.push("first"));
  void queue.add([2]).then(() => resumed.push("second"));

  for (let draw = frames.shift(); draw; draw = frames.shift()) {
    draw();
  }
  await Promise.resolve();
  await Promise.resolve();

  expect(resumed).toStrictEqual(["first", "second"]);
  expect(taken.length).toBe(10_001);
});
