export { TrainerService } from "./service.ts";
export { Recalibration } from "./workflow.ts";

/** This worker has no public door; it answers RPC only. */
export default {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
