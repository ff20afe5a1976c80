import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { said } from "./python.js";
import { inRepository } from "./repository.js";

/**
 * Run a program of the repository's environment beside the test; it ends with it. Return what it said when it was ready:
 * the first group of `ready`.
 */
export async function runBeside(
  program: string,
  options: readonly string[],
  environment: Record<string, string>,
  ready: RegExp,
): Promise<string> {
  const running = spawn(inRepository(`.venv/bin/${program}`), options, {
    cwd: inRepository(""),
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(async () => {
    if (running.exitCode === null) {
      const exit = once(running, "exit");
      running.kill("SIGKILL");
      await exit;
    }
  });
  return said(running, ready);
}
