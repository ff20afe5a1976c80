import { execFile } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { inRepository } from "./repository.js";
import type { Server } from "./server.js";

const MAKE_TOKENS = `
import sys
from milepost.server.access.credentials import tokens
for _ in sys.argv[1:]:
    token = tokens.new_token()
    print(token, tokens.digest(token))
`;

/** The token file of a server: one token a subject, each for everything. */
export class TokenFile {
  readonly path: string;
  readonly #tokens = new Map<string, string>();

  constructor(server: Server) {
    this.path = join(server.directory, "tokens.toml");
    server.options.push("--tokens", this.path);
  }

  /** Write the file; before the server starts. */
  async create(...subjects: string[]): Promise<void> {
    const { stdout } = await promisify(execFile)(inRepository(".venv/bin/python"), [
      "-c",
      MAKE_TOKENS,
      ...subjects,
    ]);
    const entries = stdout
      .trim()
      .split("\n")
      .map((line, index) => {
        const [token = "", digest = ""] = line.split(" ");
        const subject = subjects[index] ?? "";
        this.#tokens.set(subject, token);
        return (
          `[[token]]\nid = "${subject}"\nsha256 = "${digest}"\nsubject = "${subject}"\n` +
          'owners = ["*"]\nscopes = ["admin"]\n'
        );
      });
    await writeFile(this.path, entries.join("\n"), { mode: 0o600 });
  }

  /** The token of a subject. */
  token(subject: string): string {
    return this.#tokens.get(subject) ?? "";
  }

  /** Let the token of a subject be for these scopes only; before the server starts, or within seconds. */
  async restrict(subject: string, ...scopes: string[]): Promise<void> {
    await this.#rewrite((entries) =>
      entries.map((entry) =>
        isOf(entry, subject) ? entry.replace(/scopes = .*/, `scopes = ${JSON.stringify(scopes)}`) : entry,
      ),
    );
  }

  /** Take the token of a subject out of the file; the server ends its open streams within seconds. */
  async remove(subject: string): Promise<void> {
    await this.#rewrite((entries) => entries.filter((entry) => !isOf(entry, subject)));
  }

  /** Let the token of a subject expire in a second; the server ends its open streams then. */
  async expire(subject: string): Promise<void> {
    const soon = `${new Date(Date.now() + 1000).toISOString().slice(0, 19)}Z`;
    await this.#rewrite((entries) =>
      entries.map((entry) => (isOf(entry, subject) ? `${entry.trimEnd()}\nexpires = ${soon}\n` : entry)),
    );
  }

  async #rewrite(change: (entries: readonly string[]) => readonly string[]): Promise<void> {
    const entries = (await readFile(this.path, "utf8")).split("\n\n");
    const fresh = `${this.path}.new`;
    await writeFile(fresh, change(entries).join("\n\n"), { mode: 0o600 });
    await rename(fresh, this.path);
  }
}

function isOf(entry: string, subject: string): boolean {
  return entry.includes(`id = "${subject}"`);
}
