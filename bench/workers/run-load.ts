import autocannon from "autocannon";

/** A load: each connection sends one request after the other. */
export interface LoadPlan {
  /** Scheme, host and port. */
  url: string;
  method: "GET" | "POST";
  path: string;
  connections: number;
  seconds: number;
  /** Status code of a successful response; a response with another status counts as failed. */
  expectedStatus: number;
  /** Returns the JSON body of request number `request`, counted from 0. */
  body?(request: number): string;
  /** Called for each response, with the number of its request and its own status code. */
  onAnswer?(request: number, status: number, body: string, headers: Record<string, string>): void;
  /** Called for each successful response, with its time in milliseconds. */
  onTime?(ms: number): void;
}

/** Result of a load. */
export interface LoadOutcome {
  /** Milliseconds of each successful response. */
  times: number[];
  /** Successful responses in each second. */
  rates: number[];
  /** Seconds from the first request to the last response. */
  seconds: number;
  /** Number of failed responses and of requests without a response. */
  failed: number;
  /** Status codes and texts of the first failed responses. */
  failures: string[];
}

/** Number of failed responses whose text is kept, and characters of each text. */
const maxReported = { failures: 5, characters: 300 };

const timeoutSeconds = 20;

/** Sends a load with autocannon, which runs in this process. Returns after `plan.seconds`. */
export function runLoad(plan: LoadPlan, key: string): Promise<LoadOutcome> {
  const { url, method, path, connections, seconds, body, onAnswer, onTime } = plan;
  const outcome: LoadOutcome = {
    times: [],
    rates: new Array<number>(seconds).fill(0),
    seconds: 0,
    failed: 0,
    failures: [],
  };
  let next = 0;
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const running = autocannon(
      {
        url,
        connections,
        duration: seconds,
        timeout: timeoutSeconds,
        requests: [
          {
            method,
            path,
            setupRequest(request) {
              const number = next++;
              // The gateway copies `x-request-id` into the response, which links a response to its request.
              request.headers = {
                authorization: `Bearer ${key}`,
                "x-request-id": String(number),
                ...(body ? { "content-type": "application/json" } : {}),
              };
              if (body) request.body = body(number);
              return request;
            },
            onResponse(status, text, _context, headers) {
              if (status !== plan.expectedStatus && outcome.failures.length < maxReported.failures)
                outcome.failures.push(`${status} ${text.slice(0, maxReported.characters)}`);
              onAnswer?.(Number(headers["x-request-id"]), status, text, headers);
            },
          },
        ],
      },
      (error, result) => {
        if (error) return reject(error);
        outcome.failed += result.errors;
        resolve(outcome);
      },
    );
    running.on("response", (_client, status, _bytes, ms) => {
      const now = (performance.now() - started) / 1000;
      outcome.seconds = now;
      if (status !== plan.expectedStatus) {
        outcome.failed++;
        return;
      }
      outcome.times.push(ms);
      onTime?.(ms);
      const second = Math.floor(now);
      if (second < seconds) outcome.rates[second]++;
    });
  });
}
