import { type CellIndex, formatIndex, parseIndex } from "./cell-index.ts";
import {
  addStep,
  type FaceIjk,
  faceToIndex,
  type Ijk,
  indexToFace,
  isTurned,
  unitSteps,
} from "./face-coordinates.ts";
import { faceAxes, faceCenters } from "./tables.ts";

type Vector = readonly [x: number, y: number, z: number];

/** Coordinates in the plane of a face, in units of the distance of two cells of a resolution. */
interface PlanePoint {
  x: number;
  y: number;
}

const twoPi = 2 * Math.PI;
/** Angle between the axes of even and odd resolutions: asin(sqrt(3 / 28)), in radians. */
const turnOfAxes = 0.3334731722518321;
const sqrt7 = 2.6457513110645907;
const inverseSqrt7 = 0.37796447300922725;
/** Sine of 60 degrees, and its inverse. */
const sin60 = 0.8660254037844386;
const inverseSin60 = 1.1547005383792515;
/** Distance of two cells of resolution 0 in a face's plane, on a sphere of radius 1, and its inverse. */
const unitLength = 0.381966011250105;
const inverseUnitLength = 2.618033988749896;
const epsilon = 1e-16;

const positiveAngle = (radians: number): number => {
  const positive = radians < 0 ? radians + twoPi : radians;
  return radians >= twoPi ? positive - twoPi : positive;
};

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const combine = (s: number, a: Vector, t: number, b: Vector): Vector => [
  s * a[0] + t * b[0],
  s * a[1] + t * b[1],
  s * a[2] + t * b[2],
];
const normalize = ([x, y, z]: Vector): Vector => {
  const scale = 1 / Math.sqrt(x * x + y * y + z * z);
  return [x * scale, y * scale, z * scale];
};
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** The directions north and east at the center of each face. */
const faceDirections: readonly { north: Vector; east: Vector }[] = faceCenters.map((center) => {
  const north = normalize(combine(1, [0, 0, 1], -center[2], center));
  return { north, east: cross(north, center) };
});

/** Returns the unit vector of a point in degrees. */
function vectorOf(lat: number, lon: number): Vector {
  const phi = (lat * Math.PI) / 180;
  const lambda = (lon * Math.PI) / 180;
  const radius = Math.cos(phi);
  return [Math.cos(lambda) * radius, Math.sin(lambda) * radius, Math.sin(phi)];
}

/** Returns the face whose center is nearest to a point, and the squared distance in space. */
function nearestFace(point: Vector): { face: number; squared: number } {
  let face = 0;
  let squared = Number.POSITIVE_INFINITY;
  for (let each = 0; each < faceCenters.length; each++) {
    const center = faceCenters[each];
    const dx = center[0] - point[0];
    const dy = center[1] - point[1];
    const dz = center[2] - point[2];
    const found = dx * dx + dy * dy + dz * dz;
    if (found < squared) {
      squared = found;
      face = each;
    }
  }
  return { face, squared };
}

/** Projects a point to the plane of the nearest face. */
function projectToFace(point: Vector, resolution: number): PlanePoint & { face: number } {
  const { face, squared } = nearestFace(point);
  const angle = Math.acos(1 - squared * 0.5);
  if (angle < epsilon) return { face, x: 0, y: 0 };
  const center = faceCenters[face];
  const { north, east } = faceDirections[face];
  const direction = normalize(combine(1, point, -dot(point, center), center));
  const azimuth = Math.atan2(dot(direction, east), dot(direction, north));
  let theta = positiveAngle(faceAxes[face] - positiveAngle(azimuth));
  if (isTurned(resolution)) theta = positiveAngle(theta - turnOfAxes);
  let radius = Math.tan(angle) * inverseUnitLength;
  for (let finer = 0; finer < resolution; finer++) radius *= sqrt7;
  return { face, x: radius * Math.cos(theta), y: radius * Math.sin(theta) };
}

/** Returns the point on the sphere of a point in the plane of a face. */
function projectFromFace({ x, y }: PlanePoint, face: number, resolution: number): Vector {
  let radius = Math.sqrt(x * x + y * y);
  if (radius < epsilon) return faceCenters[face];
  let theta = Math.atan2(y, x);
  for (let finer = 0; finer < resolution; finer++) radius *= inverseSqrt7;
  const angle = Math.atan(radius * unitLength);
  if (isTurned(resolution)) theta = positiveAngle(theta + turnOfAxes);
  const azimuth = positiveAngle(faceAxes[face] - theta);
  const { north, east } = faceDirections[face];
  const direction = combine(Math.cos(azimuth), north, Math.sin(azimuth), east);
  return normalize(combine(Math.cos(angle), faceCenters[face], Math.sin(angle), direction));
}

/** Returns the coordinates of the cell whose center is nearest to a point in the plane of a face. */
function nearestCell({ x, y }: PlanePoint): Ijk {
  const second = Math.abs(y) * inverseSin60;
  const first = Math.abs(x) + second / 2;
  let i = Math.trunc(first);
  let j = Math.trunc(second);
  const restI = first - i;
  const restJ = second - j;
  if (restI < 0.5) {
    if (restI < 1 / 3) {
      if (restJ >= (1 + restI) / 2) j++;
    } else {
      if (restJ >= 1 - restI) j++;
      if (1 - restI <= restJ && restJ < 2 * restI) i++;
    }
  } else if (restI < 2 / 3) {
    if (restJ >= 1 - restI) j++;
    if (!(2 * restI - 1 < restJ && restJ < 1 - restI)) i++;
  } else {
    i++;
    if (restJ >= restI / 2) j++;
  }
  if (x < 0) {
    const axis = j % 2 === 0 ? j / 2 : (j + 1) / 2;
    i -= 2 * (i - axis) + (j % 2);
  }
  if (y < 0) {
    i -= Math.trunc((2 * j + 1) / 2);
    j = -j;
  }
  const cell = { i: 0, j: 0, k: 0 };
  addStep(cell, { i, j, k: 0 });
  return cell;
}

/** Returns the center of a cell in the plane of its face. */
const planeCenter = ({ i, j, k }: Ijk): PlanePoint => ({ x: i - k - 0.5 * (j - k), y: (j - k) * sin60 });

function vectorToIndex(point: Vector, resolution: number): CellIndex {
  const { face, x, y } = projectToFace(point, resolution);
  return faceToIndex({ face, ...nearestCell({ x, y }) }, resolution);
}

/** Returns the cell of a resolution, 0 to 15, that contains a point in degrees. Throws if the point is not finite. */
export function latLngToCell(lat: number, lon: number, resolution: number): string {
  if (!Number.isFinite(lat) || !Number.isFinite(lon))
    throw new Error(`Latitude and longitude must be finite numbers; got ${lat} and ${lon}.`);
  return formatIndex(vectorToIndex(vectorOf(lat, lon), resolution));
}

/** Returns the latitude and longitude of a cell's center, in degrees. */
export function cellToLatLng(cell: string): [lat: number, lon: number] {
  const index = parseIndex(cell);
  const at: FaceIjk = indexToFace(index);
  const [x, y, z] = projectFromFace(planeCenter(at), at.face, index.digits.length);
  return [(Math.asin(z) * 180) / Math.PI, (Math.atan2(y, x) * 180) / Math.PI];
}

/** Returns a cell and its neighbors: seven cells, or six around a pentagon. The cell is the first. */
export function cellAndNeighbors(cell: string): string[] {
  const index = parseIndex(cell);
  const resolution = index.digits.length;
  const { face, ...center } = indexToFace(index);
  const around = unitSteps.map((step) => {
    const at = { ...center };
    addStep(at, step);
    return formatIndex(vectorToIndex(projectFromFace(planeCenter(at), face, resolution), resolution));
  });
  return [...new Set([cell, ...around])];
}
