import type { RequestMeter, RequestPoint } from "./request-meter.ts";

/** Where data points are written: the binding of a Workers Analytics Engine dataset. */
export interface Dataset {
  writeDataPoint(point: { indexes: string[]; blobs: string[]; doubles: number[] }): void;
}

/**
 * One Workers Analytics Engine data point per request. The order of blobs and doubles is a contract with
 * `docs/analytics.sql`; a new one goes to the end.
 */
export class AnalyticsMeter implements RequestMeter {
  readonly #dataset: Dataset;

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  record(point: RequestPoint): void {
    this.#dataset.writeDataPoint({
      indexes: [point.application],
      blobs: [point.route, point.method, point.code, point.modelVersion, point.fallback, point.application],
      doubles: [point.status, point.latencyMs, point.candidates],
    });
  }
}
