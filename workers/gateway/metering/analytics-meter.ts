import type { RequestMeter, RequestPoint } from "./request-meter.ts";

/** The binding of a Workers Analytics Engine dataset. */
export interface AnalyticsDataset {
  writeDataPoint(point: { indexes: string[]; blobs: string[]; doubles: number[] }): void;
}

/**
 * Writes one Workers Analytics Engine data point per request. `docs/analytics.sql` reads blobs and doubles by their
 * position, so a new value goes to the end of its list.
 */
export class AnalyticsMeter implements RequestMeter {
  readonly #dataset: AnalyticsDataset;

  constructor(dataset: AnalyticsDataset) {
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
