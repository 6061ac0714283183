export { Cell } from "./cell.ts";

/** The worker runs cells only, which other workers call by a binding: every public HTTP request gets 404. */
export default {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
