import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { inRepository } from "./repository.js";

/** Run a program of the repository's environment beside the test; it ends with it. */
export function runBeside(
  program: string,
  options: readonly string[],
  environment: Record<string, string>,
): void {
  const running = spawn(inRepository(`.venv/bin/${program}`), options, {
    cwd: inRepository(""),
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(async () => {
    if (running.exitCode === null) {
      const exit = once(running, "exit");
      running.kill("SIGKILL");
      await exit;
    }
  });
}
