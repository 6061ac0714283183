export { LocationService } from "./service.ts";

/** This worker has no public endpoint: it serves RPC calls only. */
export default {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
