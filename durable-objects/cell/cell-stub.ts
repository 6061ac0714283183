import { cellCenter } from "../../shared/geo/cells.ts";
import { locationHint } from "../../shared/geo/location-hint.ts";

/** Returns the name of a cell's Durable Object. */
export const cellName = (application: string, cell: string): string => `${application}:${cell}`;
/** Returns the KV key of a cell's tile. */
export const tileKey = (application: string, cell: string): string => `${application}/tile/${cell}`;

/** Returns the stub of a cell's Durable Object, which the platform creates near the cell. */
export function cellStub<Cell extends Rpc.DurableObjectBranded>(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  cell: string,
): DurableObjectStub<Cell> {
  const center = cellCenter(cell);
  return cells.get(
    cells.idFromName(cellName(application, cell)),
    center ? { locationHint: locationHint(center) } : {},
  );
}
