import autocannon from "autocannon";

/** A load of requests that follow each other on each connection. */
export interface LoadPlan {
  /** Scheme, host and port. */
  url: string;
  method: "GET" | "POST";
  path: string;
  connections: number;
  seconds: number;
  /** Status of an answer that counts. */
  expectedStatus: number;
  /** JSON of request number `request`, from 0. */
  body?(request: number): string;
  /** Hears each answer, with the number of its request. */
  onAnswer?(request: number, expectedStatus: number, body: string, headers: Record<string, string>): void;
  /** Hears of each answer that counts how many milliseconds it took. */
  onTime?(ms: number): void;
}

/** What came of a load. */
export interface LoadOutcome {
  /** Milliseconds of each answer that counts. */
  times: number[];
  /** Answers that count, in each second. */
  rates: number[];
  /** Seconds from the first request to the last answer. */
  seconds: number;
  /** Answers with another status, and requests without an answer. */
  failed: number;
  /** What the first of those answers said. */
  failures: string[];
}

/** Failures that are told, and characters of each. */
const maxReported = { failures: 5, characters: 300 };

const timeoutSeconds = 20;

/** Loads an address by autocannon, which talks from this process. */
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
              // The gateway answers with the name that the request gave itself.
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
