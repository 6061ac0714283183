import type { DatasetEvent } from "../../data/dataset.ts";

/** A method that the model must beat. It scores every product for a user, and learns from the events of that user that it observes. */
export interface Baseline {
  name: string;
  /** Returns scores by item index for the event's user; larger is better. The event's product is not used. */
  score(event: DatasetEvent): Float64Array;
  /** Adds an event to what is known of its user. */
  observe(event: DatasetEvent): void;
}
