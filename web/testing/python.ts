import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { inRepository } from "./repository.js";
import type { Server } from "./server.js";

/** A running program of the repository's Python environment. */
class PythonProcess {
  readonly #process: ChildProcessByStdio<null, null, Readable>;

  constructor(program: string, args: readonly string[], environment: Record<string, string>) {
    this.#process = spawn(inRepository(`.venv/bin/${program}`), args, {
      cwd: inRepository(""),
      env: { ...process.env, ...environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  /** What it writes when it is ready: the first group of `ready`, in a line of its stderr. */
  async ready(ready: RegExp): Promise<string> {
    const { stderr } = this.#process;
    let log = "";
    for await (const line of createInterface(stderr)) {
      log += `${line}\n`;
      const found = ready.exec(line)?.[1];
      if (found !== undefined) {
        stderr.resume(); // nobody reads the rest, which must not fill the pipe
        return found;
      }
    }
    throw new Error(`the process ended before it wrote ${ready}: ${log}`);
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exit = once(this.#process, "exit");
      this.#process.kill("SIGKILL");
      await exit;
    }
  }
}

/** A Python process beside a server, for all tests of a file; it starts before the first one. */
export class SharedProcess {
  /** What it wrote when it was ready: the first group of `ready`. */
  url = "";

  constructor(server: Server, program: string, args: readonly string[], ready: RegExp) {
    let running: PythonProcess | undefined;
    beforeAll(async () => {
      running = new PythonProcess(program, args, {
        MILEPOST_ADDRESS: `127.0.0.1:${server.port}`,
        NODE_MODULES: inRepository("web/node_modules"),
      });
      this.url = await running.ready(ready);
    });
    afterAll(() => running?.kill());
  }
}

/** An application of `examples/web`; `url` is where it is served. */
export function exampleApplication(server: Server, name: string): SharedProcess {
  const args = [`examples.web.${name}:app`, "--port", "0"];
  return new SharedProcess(server, "uvicorn", args, /running on (http:\S+)/);
}

/** The worker of the applications of `examples/web`. */
export function exampleWorker(server: Server): SharedProcess {
  return new SharedProcess(server, "milepost", ["worker", "examples.web.counting:worker"], /(connected)/);
}

/**
 * Run a program of the repository's environment beside the test; it ends with it. Return what it wrote when it was ready:
 * the first group of `ready`.
 */
export async function runBeside(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
  ready: RegExp,
): Promise<string> {
  const running = new PythonProcess(program, args, environment);
  onTestFinished(() => running.kill());
  return running.ready(ready);
}
