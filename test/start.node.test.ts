import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { listDescendants } from "../scripts/processes/list-processes.ts";
import { listeningPorts } from "../scripts/processes/listening-ports.ts";
import { freePort } from "../scripts/start/free-port.ts";
import { recommendationAnswer } from "../shared/contracts/recommendation.ts";
import { waitUntil } from "./support/polling.ts";
import { signalProcessGroup } from "./support/process-group.ts";

const root = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "vicinity-start-"));

/** Writes a dataset in RecBole atomic files: 60 products, 300 events of 12 users, a product without a right place, and a wrong event. */
function writeDataset(folder: string): void {
  const items = ["item_id:token\tcategory:token\tlat:float\tlon:float\tprice:float"];
  for (let i = 0; i < 60; i++)
    items.push(
      `p${i}\t${i % 2 ? "cafe" : "shop"}\t${(59.9 + (i % 10) / 500).toFixed(4)}\t${(10.7 + i / 1000).toFixed(4)}\t${10 + i}`,
    );
  items.push("p60\tcafe\t95\t10\t1");
  const events = ["user_id:token\titem_id:token\tevent_type:token\ttimestamp:float"];
  for (let user = 0; user < 12; user++)
    for (let i = 0; i < 25; i++)
      events.push(
        `u${user}\tp${(user * 5 + (i % 4)) % 60}\t${i % 3 ? "view" : "purchase"}\t${1_700_000_000 + i * 7200 + user}`,
      );
  events.push("u0\tp1\tteleport\tyesterday");
  writeFileSync(join(folder, "town.item"), items.join("\n"));
  writeFileSync(join(folder, "town.inter"), events.join("\n"));
}

/** A running `npm start`. */
interface StartedServer {
  child: ChildProcess;
  output: () => string;
  exited: Promise<number | null>;
}

/** Runs `npm start` in its own process group. */
function npmStart(args: string[], environment: Record<string, string>): StartedServer {
  const child = spawn("npm", ["start", "--", ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const appendOutput = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on("data", appendOutput);
  child.stderr?.on("data", appendOutput);
  return { child, output: () => output, exited: new Promise((resolve) => child.on("exit", resolve)) };
}

/** Sends SIGINT to the process group, as a terminal does on Ctrl-C. */
function interrupt(started: StartedServer): void {
  if (started.child.pid) signalProcessGroup(started.child.pid, "SIGINT");
}

/** What `/readyz` answered until it succeeded, and what `/v1/imports` answered then. */
interface Readiness {
  statuses: number[];
  imports: unknown;
}

/** Asks for readiness from before the first answer until it succeeds. */
async function watchReadiness(url: string): Promise<Readiness> {
  const statuses: number[] = [];
  for (const deadline = Date.now() + 240_000; Date.now() < deadline; ) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    await answer?.body?.cancel();
    if (answer?.status === 200) {
      const headers = { authorization: "Bearer dev-admin-key" };
      return { statuses, imports: await (await fetch(`${url}/v1/imports`, { headers })).json() };
    }
    if (answer) statuses.push(answer.status);
    else await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { statuses, imports: null };
}

/** Runs the commands that `npm start` printed, one after the other, and returns their answers. */
async function runPrintedCommands(output: string) {
  const answers = [];
  for (const [, command] of output.matchAll(/^ {2}(curl .*)$/gm)) {
    const answer = await text(spawn("sh", ["-c", command]).stdout);
    answers.push({ answer, body: JSON.parse(answer) });
  }
  return answers;
}

/** Waits until `npm start` has printed its commands or has ended. */
const untilStarted = ({ output, child }: StartedServer): Promise<void> =>
  waitUntil(() => output().includes("curl ") || child.exitCode !== null, 240, output);

describe("npm start", () => {
  const dataset = join(scratch, "town");
  const environment: Record<string, string> = { STATE_DIR: join(scratch, "state") };
  let started: StartedServer;
  let url = "";
  let readiness: Readiness = { statuses: [], imports: null };

  beforeAll(async () => {
    mkdirSync(dataset);
    writeDataset(dataset);
    environment.PORT = String(await freePort());
    url = `http://127.0.0.1:${environment.PORT}`;
    started = npmStart(["--data", dataset], environment);
    const watching = watchReadiness(url);
    await untilStarted(started);
    readiness = await watching;
  }, 300_000);

  afterAll(() => {
    if (started.child.pid) signalProcessGroup(started.child.pid, "SIGKILL");
    rmSync(scratch, { recursive: true, force: true });
  });

  it("files: answers 503 to /readyz from the first moment until the import is done", () => {
    expect(readiness.statuses.length).toBeGreaterThan(0);
    expect(new Set(readiness.statuses)).toEqual(new Set([503]));
    expect(readiness.imports).toMatchObject({ items: [{ name: "town", status: "done", done: 361 }] });
  });

  it("files: prints the refused row, the absent value, and three commands to try", () => {
    expect(started.output()).toContain("rows refused: 1. The first:");
    expect(started.output()).toContain("town.inter, line 302: event_type must be one of");
    expect(started.output()).toContain('town.item, line 62, lat: "95" must be from -90 to 90');
    expect(started.output().match(/^ {2}curl /gm)).toHaveLength(3);
  });

  it("answers each of the three printed commands", async () => {
    for (const { answer, body } of await runPrintedCommands(started.output())) {
      expect(body.status, answer).toBeUndefined();
      expect(body.items?.length ?? body.accepted + body.duplicates, answer).toBeGreaterThan(0);
    }
  });

  it("S6: answers the development keys to no other host and no page of another origin", async () => {
    const ask = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = { headers: { authorization: "Bearer dev-admin-key", ...headers } };
        get(`${url}/v1/products?limit=1`, options, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        }).on("error", reject);
      });
    expect([await ask({}), await ask({ origin: url })]).toEqual([200, 200]);
    expect(await ask({ host: `evil.example:${environment.PORT}` })).toBe(401);
    expect(await ask({ origin: "https://evil.example" })).toBe(401);
    const preflight = await fetch(`${url}/v1/products`, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "GET" },
    });
    expect(preflight.headers.has("access-control-allow-origin")).toBe(false);
  });

  it("S6: answers the development keys to no page whose name was given the address 127.0.0.1", async () => {
    const { PORT } = environment;
    /** Sends a request on a connection of its own, with headers as they are, and returns the status. */
    const askRaw = async (port: string, headers: string[], path = "/v1/users?limit=1") => {
      const socket = connect(Number(port), "127.0.0.1");
      const key = "Authorization: Bearer dev-admin-key";
      socket.write([`GET ${path} HTTP/1.1`, key, ...headers, "Connection: close", "", ""].join("\r\n"));
      return Number((await text(socket)).split(" ")[1]);
    };
    expect(await askRaw(PORT ?? "", [`Host: localhost:${PORT}`])).toBe(200);
    const forged = [
      `mf-original-url: http://localhost:${PORT}/v1/users?limit=1`,
      "mf-op-original-url: http://localhost/v1/users",
      "x-forwarded-host: localhost",
      "x-forwarded-proto: http",
      `x-local-proxy-secret: ${"0".repeat(64)}`,
    ];
    for (const headers of [[], forged, ...forged.map((header) => [header])])
      expect(await askRaw(PORT ?? "", [`Host: evil.example:${PORT}`, ...headers]), headers.join()).toBe(401);

    // The runtime's other ports let a client choose the worker and the host; none of them answers the development keys.
    const runtime = listDescendants(started.child.pid ?? 0).find(({ name }) => name === "workerd");
    const others = listeningPorts(runtime?.pid ?? 0).filter((port) => String(port) !== PORT);
    expect(others.length).toBeGreaterThan(0);
    const chosen = [...forged, "mf-route-override: vicinity-gateway"];
    for (const port of others)
      for (const host of ["localhost", `127.0.0.1:${port}`, "evil.example"])
        for (const headers of [[], chosen, ...chosen.map((header) => [header])])
          expect(await askRaw(String(port), [`Host: ${host}`, ...headers]), headers.join()).not.toBe(200);
  });

  it("S6: keeps its secrets out of the process list, in files that their owner alone reads", () => {
    const processes = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" }).stdout;
    for (const name of ["token-secret", "development-marker", "pseudonym-secret"]) {
      const file = join(environment.STATE_DIR, name);
      expect(processes, name).not.toContain(readFileSync(file, "utf8"));
      expect(statSync(file).mode & 0o077, name).toBe(0);
    }
  });

  it("ranks with the model that it trained on the dataset", async () => {
    const headers = { authorization: "Bearer dev-admin-key", "content-type": "application/json" };
    const models = z
      .object({ items: z.array(z.object({ status: z.string(), version: z.string(), sha256: z.string() })) })
      .parse(await (await fetch(`${url}/v1/models`, { headers })).json());
    const serving = models.items.find((model) => model.status === "serving");
    const answer = await fetch(`${url}/v1/recommendations`, {
      method: "POST",
      headers,
      body: JSON.stringify({ userId: "u3", location: { lat: 59.91, lon: 10.73 }, limit: 5 }),
    });
    expect(answer.status).toBe(200);
    const body = recommendationAnswer.parse(await answer.json());
    expect(body.items).toHaveLength(5);
    expect(body.model).toEqual({ version: serving?.version, sha256: serving?.sha256 });
  });

  it("leaves no process behind after Ctrl-C", async () => {
    interrupt(started);
    await started.exited;
    const pid = started.child.pid ?? 0;
    await waitUntil(
      () => !signalProcessGroup(pid, 0),
      10,
      () => `process group ${pid} must end after Ctrl-C`,
    );
  });

  it("keeps its data after a restart, and refuses a different dataset with one line", async () => {
    const other = join(scratch, "other");
    mkdirSync(other);
    writeFileSync(join(other, "elsewhere.inter"), "user_id:token\titem_id:token\na\tb\n");
    const otherDataset = npmStart(["--data", other], environment);
    expect(await otherDataset.exited).not.toBe(0);
    expect(otherDataset.output()).toContain("town");

    started = npmStart([], environment);
    await untilStarted(started);
    const headers = { authorization: "Bearer dev-admin-key" };
    const history = z
      .object({ items: z.array(z.unknown()) })
      .parse(await (await fetch(`${url}/v1/users/u3/interactions?limit=500`, { headers })).json());
    expect(history.items.length).toBeGreaterThanOrEqual(25);
    interrupt(started);
    await started.exited;
  }, 180_000);

  it("prints one line when the port is in use, the dataset is missing, or no row of it is accepted", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      }),
    );
    const elsewhere = { ...environment, STATE_DIR: join(scratch, "none") };
    const portInUse = npmStart([], { ...elsewhere, PORT: String(port) });
    expect(await portInUse.exited).toBe(1);
    expect(portInUse.output()).toContain(`Port ${port} is in use`);
    server.close();
    const missing = npmStart(["--data", join(scratch, "nowhere")], elsewhere);
    expect(await missing.exited).toBe(1);
    expect(missing.output()).toContain(`The folder ${join(scratch, "nowhere")} does not exist`);
    const wrong = join(scratch, "wrong");
    mkdirSync(wrong);
    writeFileSync(join(wrong, "wrong.inter"), "user_id:token\titem_id:token\ttimestamp:float\na\tb\tsoon\n");
    const unreadable = npmStart(["--data", wrong], { ...elsewhere, PORT: String(await freePort()) });
    expect(await unreadable.exited).toBe(1);
    expect(unreadable.output()).toContain("no row of events was accepted. The first was wrong.inter, line 2");
    expect(unreadable.output()).not.toContain("    at ");
  }, 60_000);
});

describe("npm start -- --empty", () => {
  const stateDir = join(scratch, "empty");
  const environment: Record<string, string> = { STATE_DIR: stateDir };
  const groups: number[] = [];
  const start = (): StartedServer => {
    const started = npmStart(["--empty"], environment);
    if (started.child.pid) groups.push(started.child.pid);
    return started;
  };
  /** Returns the process that runs the server, by the file in which it takes the state directory. */
  const serverPid = (): number =>
    z
      .object({ owner: z.object({ pid: z.number() }) })
      .parse(JSON.parse(readFileSync(join(stateDir, "running.json"), "utf8"))).owner.pid;

  beforeAll(async () => {
    environment.PORT = String(await freePort());
  });
  afterAll(() => {
    for (const pid of groups) signalProcessGroup(pid, "SIGKILL");
    rmSync(stateDir, { recursive: true, force: true });
  });

  it("starts without products, prints how to add one, and starts again after it was killed", async () => {
    const first = start();
    await untilStarted(first);
    const answers = await runPrintedCommands(first.output());
    expect(answers).toHaveLength(4);
    for (const { answer, body } of answers) expect(body.status, answer).toBeUndefined();

    const second = start();
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain(`in use by process ${serverPid()}`);

    // The runtime survives its parent; the next start ends it, and takes the same port.
    process.kill(serverPid(), "SIGKILL");
    await first.exited;
    const third = start();
    await untilStarted(third);
    const headers = { authorization: "Bearer dev-admin-key" };
    const product = await fetch(`http://127.0.0.1:${environment.PORT}/v1/products/my-first-product`, {
      headers,
    });
    expect(product.status).toBe(200);
    interrupt(third);
    await third.exited;
  }, 240_000);
});
