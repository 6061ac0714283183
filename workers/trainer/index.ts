export { Recalibration } from "./recalibration.ts";
export { TrainerService } from "./service.ts";

/** This worker has no public door; it answers RPC only. */
export default {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
