import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll } from "vitest";
import { inRepository } from "./repository.js";
import type { Server } from "./server.js";

/** A Python process beside a server, for all tests of a file; it starts before the first one. */
export class PythonProcess {
  #process: ChildProcess | undefined;

  constructor(server: Server, program: string, args: readonly string[], ready: RegExp) {
    beforeAll(async () => {
      const process = spawn(inRepository(`.venv/bin/${program}`), args, {
        cwd: inRepository(""),
        env: {
          ...globalThis.process.env,
          MILEPOST_ADDRESS: `127.0.0.1:${server.port}`,
          NODE_MODULES: inRepository("web/node_modules"),
        },
        stdio: ["ignore", "ignore", "pipe"],
      });
      this.#process = process;
      this.url = await said(process, ready);
    });
    afterAll(async () => {
      const process = this.#process;
      if (process?.exitCode === null) {
        const exit = once(process, "exit");
        process.kill("SIGKILL");
        await exit;
      }
    });
  }

  /** What it said when it was ready: the first group of `ready`. */
  url = "";
}

/** An application of `examples/web`; `url` is where it is served. */
export function exampleApplication(server: Server, name: string): PythonProcess {
  const args = [`examples.web.${name}:app`, "--port", "0"];
  return new PythonProcess(server, "uvicorn", args, /running on (http:\S+)/);
}

/** The worker of the applications of `examples/web`. */
export function exampleWorker(server: Server): PythonProcess {
  return new PythonProcess(server, "milepost", ["worker", "examples.web.counting:worker"], /(connected)/);
}

/** What a process says when it is ready: the first group of `ready`, in a line of its stderr. */
export async function said(process: ChildProcess, ready: RegExp): Promise<string> {
  let log = "";
  if (process.stderr === null) {
    throw new Error("the process has no stderr");
  }
  for await (const line of createInterface(process.stderr)) {
    log += `${line}\n`;
    const found = ready.exec(line)?.[1];
    if (found !== undefined) {
      process.stderr.resume(); // nobody reads the rest, which must not fill the pipe
      return found;
    }
  }
  throw new Error(`the process ended before it said ${ready}: ${log}`);
}
