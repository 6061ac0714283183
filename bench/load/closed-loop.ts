import { Agent, request as httpRequest } from "node:http";
import { answerFailure, type LoadRequest } from "./requests.ts";

/** A closed-loop load: each connection sends a request, waits for its answer, and sends the next one. */
export interface ClosedLoop {
  /** Scheme, host and port. The host is this machine. */
  url: string;
  connections: number;
  /** No request is sent after this time; those that were sent are waited for. */
  seconds: number;
  maxRequests: number;
  /** Returns request number `n`, counted from 0. */
  next(n: number): LoadRequest;
}

/** Result of a closed-loop load. Failed answers are in `failed` alone: a fast failure is no success. */
export interface ClosedLoopResult {
  /** Milliseconds of each good answer, from the first byte of the request to the last of the answer. */
  times: number[];
  /** Seconds from the first request to the last answer. */
  seconds: number;
  failed: number;
  /** Reasons of the first failures, without repetitions. */
  failures: string[];
}

/** Seconds after which a request without an answer has failed. */
const timeoutSeconds = 60;
/** Connections to pause after a failure, in milliseconds, so that a server that refuses all is not asked in a loop. */
const failurePauseMs = 50;
const maxReportedFailures = 3;

const localHosts = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Returns whether a URL is plain HTTP to this machine: no load is ever sent elsewhere. */
export function isLocalUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && localHosts.has(hostname);
}

/** Sends one request and returns the status and the text of its answer. Rejects if there is none within a minute. */
export function sendOnce(
  url: string,
  { method, path, headers, body }: LoadRequest,
  agent: Agent | undefined = undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${url}${path}`,
      {
        method,
        agent,
        headers:
          body === undefined ? headers : { ...headers, "content-length": String(Buffer.byteLength(body)) },
        timeout: timeoutSeconds * 1000,
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("end", () =>
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
        );
        answer.on("error", reject);
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${timeoutSeconds} s`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Runs a closed-loop load against this machine. Throws if the URL is another machine's. */
export async function runClosedLoop(load: ClosedLoop): Promise<ClosedLoopResult> {
  if (!isLocalUrl(load.url))
    throw new Error(`${load.url} is not this machine; the load is sent to 127.0.0.1 only.`);
  const result: ClosedLoopResult = { times: [], seconds: 0, failed: 0, failures: [] };
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections });
  const started = performance.now();
  const deadline = started + load.seconds * 1000;
  let next = 0;

  async function runConnection(): Promise<void> {
    while (performance.now() < deadline && next < load.maxRequests) {
      const request = load.next(next++);
      const sent = performance.now();
      let failure: string | null;
      try {
        const { status, text } = await sendOnce(load.url, request, agent);
        const ms = performance.now() - sent;
        failure = answerFailure(request, status, text);
        if (failure === null) result.times.push(ms);
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
      }
      result.seconds = (performance.now() - started) / 1000;
      if (failure === null) continue;
      result.failed++;
      if (result.failures.length < maxReportedFailures && !result.failures.includes(failure))
        result.failures.push(failure);
      await new Promise((resolve) => setTimeout(resolve, failurePauseMs));
    }
  }

  await Promise.all(Array.from({ length: load.connections }, runConnection));
  agent.destroy();
  return result;
}
