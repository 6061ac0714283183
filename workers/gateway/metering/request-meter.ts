/** What is kept of one request: figures and names of our own, nothing that a person could be known by. */
export interface RequestPoint {
  requestId: string;
  method: string;
  /** The route's pattern (`/v1/users/:id`), never the path. */
  route: string;
  status: number;
  /** Code of the refusal, empty for a success. */
  code: string;
  /** Empty where no credential was given. */
  application: string;
  /** Milliseconds from the request's arrival to its answer. */
  latencyMs: number;
  /** Empty where no model was asked. */
  modelVersion: string;
  /** Products that were ranked. */
  candidates: number;
  /** Stages that were left out or replaced, joined by a comma; empty where all went as planned. */
  fallback: string;
}

/** Where points go. Never throws: an answer must not depend on its measurement. */
export interface RequestMeter {
  record(point: RequestPoint): void;
}
