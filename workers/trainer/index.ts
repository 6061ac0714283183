export { Evaluation } from "./evaluation/workflow.ts";
export { TrainerService } from "./service.ts";
export { Recalibration } from "./workflow.ts";

/** This worker has no public endpoint: it serves RPC calls only. */
export default {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
