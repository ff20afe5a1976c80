import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { inRepository } from "./repository.js";

/** Jobs whose worker is the test, and which reports nothing for a while, must not be lost on a busy machine. */
const DEFAULTS = ["--lease-ttl", "10m"];

/** A `milepost serve` of its own, with an empty store. It ends with the test. */
export class Server {
  readonly directory = mkdtempSync(join(tmpdir(), "milepost-"));
  /** Options of `milepost serve`, as of the next start. */
  readonly options: string[];
  #process: ChildProcess | undefined;
  #port = 0;
  #httpPort = 0;
  #ready: Readonly<Record<string, string>> = {};
  #log = "";

  constructor(options: readonly string[]) {
    this.options = [...options];
  }

  /** Port of gRPC; the same after a restart. */
  get port(): number {
    return this.#port;
  }

  /** Port of HTTP; the same after a restart. */
  get httpPort(): number {
    return this.#httpPort;
  }

  /** Address for a client over gRPC. */
  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Address for browsers. */
  get httpUrl(): string {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  /** The line that the server printed when it was ready, such as `epoch` and `http`. */
  get ready(): Readonly<Record<string, string>> {
    return this.#ready;
  }

  /** Calls that have ended, as the server recorded them: those of `method` that concern `jobId`, by their codes. */
  ended(method: string, jobId: string): string[] {
    const lines = this.#log
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.includes('"call"') && line.includes(jobId));
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((call) => call["job_id"] === jobId && String(call["method"]).endsWith(`/${method}`))
      .map((call) => String(call["code"]));
  }

  /** Start the process, and wait until it is ready. */
  async start(): Promise<void> {
    const address = `127.0.0.1:${this.#port}`;
    const http = `127.0.0.1:${this.#httpPort}`;
    const data = join(this.directory, "data");
    const process = spawn(
      inRepository(".venv/bin/milepost"),
      ["serve", "--address", address, "--http", http, "--data", data, ...DEFAULTS, ...this.options],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process = process;
    this.#log = "";
    process.stderr.on("data", (text: Buffer) => (this.#log += text.toString()));
    const line = await Promise.race([
      once(createInterface(process.stdout), "line"),
      once(process, "exit").then(() => undefined),
    ]);
    if (line === undefined) {
      throw new Error(`milepost serve did not start: ${this.#log}`);
    }
    this.#ready = JSON.parse(String(line[0])) as Record<string, string>;
    this.#port = Number(this.#ready["address"]?.split(":").at(-1));
    this.#httpPort = Number(this.#ready["http"]?.split(":").at(-1));
  }

  /** End the process: SIGTERM drains it, SIGKILL is a crash. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const process = this.#process;
    if (process?.exitCode === null && process.signalCode === null) {
      const exit = once(process, "exit");
      process.kill(signal);
      await exit;
    }
  }

  /** End the process, and delete all that it wrote. */
  async dispose(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Delete the store of a stopped server, so that the next start makes another one. */
  deleteStore(): void {
    rmSync(join(this.directory, "data"), { recursive: true, force: true });
  }
}

/** Start a server that ends with the test; `options` are those of `milepost serve`. */
export async function startServer(...options: string[]): Promise<Server> {
  const server = new Server(options);
  onTestFinished(() => server.dispose());
  await server.start();
  return server;
}

/** A server for all tests of a file or a `describe`, which is started before the first one. */
export function sharedServer(...options: string[]): Server {
  const server = new Server(options);
  beforeAll(() => server.start());
  afterAll(() => server.dispose());
  return server;
}
