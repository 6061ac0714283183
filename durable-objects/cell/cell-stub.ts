import { cellCenter } from "../../shared/geo/cells.ts";
import { type LocationHint, locationHint } from "../../shared/geo/location-hint.ts";
import { inJurisdiction } from "../in-jurisdiction.ts";

/** Returns the name of a cell's Durable Object. */
export const cellName = (application: string, cell: string): string => `${application}:${cell}`;
/** Returns the KV key of one version of a leaf's tile. A key is written once. */
export const tileKey = (application: string, cell: string, version: number): string =>
  `${application}/tile/${cell}/${version}`;
/** Returns the KV key of the copy of a parent's tile, for readers who cannot reach the parent's object. */
export const parentCopyKey = (application: string, cell: string): string => `${application}/parent/${cell}`;
/** Returns the KV key under which releases up to 0.2 stored each version of a cell's tile. */
export const earlierTileKey = (application: string, cell: string): string => `${application}/tile/${cell}`;

/** Returns the stub of a cell's Durable Object, which the platform creates near the cell. */
export function cellStub<Cell extends Rpc.DurableObjectBranded>(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  cell: string,
): DurableObjectStub<Cell> {
  const center = cellCenter(cell);
  return cells.get(
    inJurisdiction(cells).idFromName(cellName(application, cell)),
    center ? { locationHint: locationHint(center) } : {},
  );
}

/** Number of relays of a region. */
export const relaysPerRegion = 4;

/**
 * Returns the stub of a relay: an object near a region that asks the object of the world for its tile, so that the isolates
 * of all regions do not ask one object. `number`: below {@link relaysPerRegion}.
 */
export const relayStub = <Cell extends Rpc.DurableObjectBranded>(
  cells: DurableObjectNamespace<Cell>,
  application: string,
  region: LocationHint,
  number: number,
): DurableObjectStub<Cell> =>
  cells.get(inJurisdiction(cells).idFromName(`${application}:relay-${region}-${number}`), {
    locationHint: region,
  });
