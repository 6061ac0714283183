import { type ExportItem, exportItem } from "../../shared/contracts/export.ts";
import type { Page } from "../../shared/contracts/page.ts";
import type { TestStack } from "./test-stack.ts";

/** Returns every item of the export of a user's data. Reads pages of two items, so that tests cover the cursor. */
export async function exportUserData(
  stack: TestStack,
  userId: string,
  key = "dev-admin-key",
): Promise<ExportItem[]> {
  const items: ExportItem[] = [];
  for (let cursor = ""; ; ) {
    const path = `/v1/users/${userId}/export?limit=2${cursor}`;
    const { status, body } = await stack.call<Page<ExportItem>>("GET", path, { key });
    if (status !== 200) throw new Error(`GET ${path} failed with status ${status}: ${JSON.stringify(body)}`);
    items.push(...body.items.map((item) => exportItem.parse(item)));
    if (body.nextCursor === undefined) return items;
    cursor = `&cursor=${body.nextCursor}`;
  }
}
