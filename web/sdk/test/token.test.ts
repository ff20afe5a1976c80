import { Code } from "@connectrpc/connect";
import { MilepostError, TokenUnavailable, Unreachable } from "@milepost/client";
import { createClient } from "@milepost/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Server } from "../../testing/server.js";
import { TokenFile } from "../../testing/token-file.js";
import { until } from "../../testing/until.js";
import { toMilepostError } from "../src/errors.js";
import { CallCredential, RENEWAL_TIME_MS, TokenSource } from "../src/token.js";
import { refusal } from "./refusal.js";
import { type Protocol, collect, oneTo, sequencesOf, setUp } from "./watching.js";

const protocols: Protocol[] = ["grpc", "connect"];
const server = new Server([]);
const file = new TokenFile(server);

beforeAll(async () => {
  await file.create(
    "other",
    ...protocols.flatMap((protocol) => [`first-${protocol}`, `late-${protocol}`, `only-${protocol}`]),
  );
  await server.start();
});

afterAll(() => server.dispose());

function other() {
  return createClient({ baseUrl: server.baseUrl, token: file.token("other") });
}

describe.each(protocols)("over %s, a token that ends with its stream open", (protocol) => {
  test("is replaced by another one, and the watch goes on where it was", async () => {
    const tokens = [file.token(`first-${protocol}`), file.token("other")];
    let asked = 0;
    const setting = await setUp(server, protocol, { token: () => Promise.resolve(tokens[asked++] ?? "") });
    const { jobId } = await other().submitJob({ kind: "test" });
    const watch = setting.client.watchJob(jobId);
    const { items, end } = collect(watch);
    await until(() => watch.caughtUp);

    await file.remove(`first-${protocol}`);
    await until(() => asked === 2);
    await other().cancelJob(jobId);
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(3));
    expect(asked).toBe(2);
    // Calls, too, go on with the other token.
    expect((await setting.client.whoAmI()).subject).toBe("other");
  });

  test("is replaced by another one that comes late, too", async () => {
    const late = file.token(`late-${protocol}`);
    const tokens = [late, late, late, file.token("other")];
    let asked = 0;
    const setting = await setUp(server, protocol, { token: () => tokens[asked++] ?? "" });
    const { jobId } = await other().submitJob({ kind: "test" });
    const watch = setting.client.watchJob(jobId);
    const { items, end } = collect(watch);
    await until(() => watch.caughtUp);

    await file.remove(`late-${protocol}`);
    await until(() => asked === 4);
    await other().cancelJob(jobId);
    await end;

    expect(sequencesOf(items)).toStrictEqual(oneTo(3));
  });

  test("ends the watch where there is no other one", async () => {
    const setting = await setUp(server, protocol, { token: file.token(`only-${protocol}`) });
    const { jobId } = await other().submitJob({ kind: "test" });
    const watch = setting.client.watchJob(jobId);
    const { end } = collect(watch);
    await until(() => watch.caughtUp);

    await file.remove(`only-${protocol}`);

    await expect(end).rejects.toMatchObject({ reason: "TOKEN_EXPIRED" });
  });

  test("calls that need a token at the same time ask once", async () => {
    let asked = 0;
    const token = async () => {
      asked++;
      await Promise.resolve();
      return file.token("other");
    };
    const { client } = await setUp(server, protocol, { token });

    await Promise.all([client.whoAmI(), client.whoAmI(), client.whoAmI()]);

    expect(asked).toBe(1);
  });
});

describe("a credential that the server refuses", () => {
  const expired = toMilepostError(refusal(Code.Unauthenticated, "TOKEN_EXPIRED"));
  const unknown = toMilepostError(refusal(Code.Unauthenticated, "UNAUTHENTICATED"));

  /** A credential whose function returns these tokens, one after the other. */
  function credentialOf(...tokens: string[]): CallCredential {
    return new CallCredential(new TokenSource(() => tokens.shift() ?? ""));
  }

  test("is replaced once, not again and again", async () => {
    const credential = credentialOf("one", "two", "three");
    await credential.headers();

    const renewed = [await credential.renew(expired)];
    await credential.headers();
    renewed.push(await credential.renew(unknown));

    expect(renewed).toStrictEqual([true, false]);
  });

  test("is tried again for some seconds of delays, after a stream that was open", async () => {
    const credential = credentialOf("one", "one", "one", "one", "one");
    await credential.headers();
    credential.accepted();

    const renewed = [await credential.renew(expired)];
    renewed.push(await credential.renew(new Unreachable("away")));
    for (const delayMs of [RENEWAL_TIME_MS - 1, 1]) {
      credential.delayed(delayMs);
      await credential.headers();
      renewed.push(await credential.renew(unknown));
    }

    expect(renewed).toStrictEqual([true, false, true, false]);
  });

  test("says why it was refused at first, and not why another one was", async () => {
    const credential = credentialOf("one", "one", "two");
    await credential.headers();
    credential.accepted();

    const shown: MilepostError[] = [];
    for (const error of [expired, unknown, unknown]) {
      await credential.renew(error);
      shown.push(credential.firstOf(error));
      await credential.headers();
    }

    expect(shown).toStrictEqual([expired, expired, unknown]);
  });

  test("that is text is not tried again", async () => {
    const credential = new CallCredential(new TokenSource("one"));
    await credential.headers();
    credential.accepted();

    expect(await credential.renew(expired)).toBe(false);
  });
});

test("the timeout of a call ends it, too, while a function for tokens is asked", async () => {
  const client = createClient({ baseUrl: server.baseUrl, token: () => new Promise(() => undefined) });

  const call = client.getJob("any", { timeoutMs: 10 });

  await expect(call).rejects.toThrow(new TokenUnavailable("nothing was returned within 0.01 s"));
});

test("a function for tokens that fails is told as such", async () => {
  const token = () => Promise.reject(new Error("Log in again."));

  const error: unknown = await createClient({ token })
    .whoAmI()
    .catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(TokenUnavailable);
  expect(error).toHaveProperty("message", "No token could be obtained: Error: Log in again.");
});

test("a name that begins like an address of this machine is another machine", () => {
  const create = () => createClient({ baseUrl: "http://127.0.0.1.example.org", token: "secret" });

  expect(create).toThrow("The token would travel to 127.0.0.1.example.org in plain text");
  createClient({ baseUrl: "http://127.1", token: "secret" });
});

test("a token does not travel in plain text beyond this machine", () => {
  const baseUrl = "http://jobs.example.com:7070";

  expect(() => createClient({ baseUrl, token: "secret" })).toThrow(MilepostError);
  createClient({ baseUrl, token: "secret", allowPlaintextToken: true });
  createClient({ baseUrl: "https://jobs.example.com", token: "secret" });
});

test("the signal of a call ends it, too, while a function for tokens is asked", async () => {
  const client = createClient({ baseUrl: server.baseUrl, token: () => new Promise(() => undefined) });
  const ending = new AbortController();
  const call = client.getJob("any", { signal: ending.signal });

  ending.abort(new Error("no longer needed"));

  await expect(call).rejects.toThrow("no longer needed");
});
