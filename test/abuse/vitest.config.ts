import { projectWithObjects } from "../support/project-with-objects.ts";

/** Attacks on the lists of other users, with real users' objects, cells, databases and the bundled model. */
export default projectWithObjects({
  name: "abuse",
  d1Databases: ["USERS", "CITIES", "MODELS_DB"],
  r2Buckets: ["TRAINING_LOG", "MODELS"],
  migrations: {
    USER_MIGRATIONS: "user",
    CITY_MIGRATIONS: "location",
    MODEL_MIGRATIONS: "recommendation",
  },
  variables: { ROLLOUT: '{"exploration":{"rate":0}}' },
  timeoutMs: 600_000,
});
