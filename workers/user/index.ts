export { UserService } from "./service.ts";

/** The worker has no public HTTP endpoint; it serves RPC only. */
export default {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
