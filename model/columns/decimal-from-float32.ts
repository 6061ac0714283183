/** Returns the decimal that was stored in a 32-bit column: float32 holds about seven significant digits. */
export const decimalFromFloat32 = (value: number): number => Number(value.toPrecision(7));
