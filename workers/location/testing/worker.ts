// The worker of the tests: the location worker, with the cells in the same isolate.
export { Cell } from "../../../durable-objects/cell/cell.ts";
export * from "../index.ts";
export { default } from "../index.ts";
