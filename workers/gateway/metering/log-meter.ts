import type { RequestMeter, RequestPoint } from "./request-meter.ts";

/** One structured line per request that failed on our side; the rest is counted by the analytics, not written down. */
export class LogMeter implements RequestMeter {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  record(point: RequestPoint): void {
    if (point.status >= 500 && point.code !== "")
      this.#write(JSON.stringify({ message: "request failed", ...point }));
  }
}
