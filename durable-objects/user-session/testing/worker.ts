export { UserSession } from "../user-session.ts";

/** The worker of the tests: users' objects, and a consumer that acknowledges every message. */
export default {
  fetch: () => new Response(null, { status: 404 }),
  queue: () => undefined,
} satisfies ExportedHandler;
