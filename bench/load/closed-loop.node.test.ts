import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { isLocalUrl, runClosedLoop } from "./closed-loop.ts";
import { statusFailure } from "./requests.ts";

let server: Server | null = null;
afterEach(() => server?.close());

/** Starts a server that answers request `n`, and returns its URL. */
async function serve(answer: (n: number) => { status: number; text: string }): Promise<string> {
  let n = 0;
  const started = createServer((_request, response) => {
    const { status, text } = answer(n++);
    response.writeHead(status).end(text);
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const address = started.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

const get = (n: number) => ({
  method: "GET" as const,
  path: `/${n}`,
  headers: {},
  failure: (status: number, text: string) => statusFailure(200, status, text),
});

describe("runClosedLoop", () => {
  it("sends as many requests as asked, each once, over all connections", async () => {
    const sent: number[] = [];
    const url = await serve(() => ({ status: 200, text: "ok" }));
    const result = await runClosedLoop({
      url,
      connections: 4,
      seconds: 30,
      maxRequests: 50,
      next: (n) => {
        sent.push(n);
        return get(n);
      },
    });
    expect(sent).toEqual(Array.from({ length: 50 }, (_, n) => n));
    expect(result).toMatchObject({ failed: 0, failures: [] });
    expect(result.times).toHaveLength(50);
  });

  it("counts failed answers apart, with one reason of each kind", async () => {
    const url = await serve((n) =>
      n % 2 === 0 ? { status: 200, text: "ok" } : { status: 503, text: "busy" },
    );
    const result = await runClosedLoop({ url, connections: 1, seconds: 30, maxRequests: 10, next: get });
    expect(result.times).toHaveLength(5);
    expect(result.failed).toBe(5);
    expect(result.failures).toEqual(["status 503 instead of 200: busy"]);
  });

  it("counts requests without an answer as failed", async () => {
    const url = await serve(() => ({ status: 200, text: "ok" }));
    server?.close();
    server = null;
    const result = await runClosedLoop({ url, connections: 2, seconds: 30, maxRequests: 4, next: get });
    expect(result).toMatchObject({ times: [], failed: 4 });
    expect(result.failures[0]).toMatch(/ECONNREFUSED/);
  });

  it("refuses other machines", async () => {
    const load = { url: "http://192.168.0.1", connections: 1, seconds: 1, maxRequests: 1, next: get };
    await expect(runClosedLoop(load)).rejects.toThrow(/not this machine/);
  });
});

describe("isLocalUrl", () => {
  it("takes plain HTTP to this machine alone", () => {
    for (const url of ["http://127.0.0.1:8088", "http://localhost", "http://[::1]:1"])
      expect(isLocalUrl(url)).toBe(true);
    for (const url of [
      "https://127.0.0.1",
      "http://127.0.0.1.example.com",
      "http://localhost.example.com:80",
      "http://127.0.0.1@example.com",
      "http://0.0.0.0",
      "example",
    ])
      expect(isLocalUrl(url)).toBe(false);
  });
});
