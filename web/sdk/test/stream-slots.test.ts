import { afterEach, expect, test, vi } from "vitest";
import { OriginSlots } from "../src/watch/stream-slots.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a page that may not use locks, as in a sandboxed frame, has one stream of its own", async () => {
  vi.stubGlobal("location", { href: "http://jobs.example.com/" });
  const request = () => Promise.reject(new DOMException("The request was denied.", "SecurityError"));
  vi.stubGlobal("navigator", { locks: { request } });
  const slots = OriginSlots.of("http://jobs.example.com");

  const giveBack = await slots.take();
  const second = await slots.take();
  giveBack?.();
  const third = await slots.take();

  expect([typeof giveBack, second, typeof third]).toStrictEqual(["function", undefined, "function"]);
});
