// The worker of the tests: the recommendation worker, with users' objects in the same isolate.
export { UserSession } from "../../../durable-objects/user-session/user-session.ts";
export * from "../index.ts";
export { default } from "../index.ts";
