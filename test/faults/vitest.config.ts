import { projectWithObjects } from "../support/project-with-objects.ts";

/**
 * Tests of the event path with real Durable Objects, databases and buckets, and injected faults in every call between
 * them.
 */
export default projectWithObjects({
  name: "faults",
  d1Databases: ["DB", "DB_1", "REGISTRY"],
  r2Buckets: ["TRAINING_LOG", "DEAD_LETTERS"],
  migrations: { MIGRATIONS: "user", REGISTRY_MIGRATIONS: "recommendation" },
  variables: {
    // The events and visits of most tests have exact locations.
    DEFAULT_CONSENT: "exact",
    // What is lost or counted twice must not hide behind the hours in which a user counts.
    COUNTING: '{"timesCounted":1000}',
  },
  timeoutMs: 300_000,
});
