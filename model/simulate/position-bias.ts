/**
 * Returns the probability that a simulated user looks at a position (from 1) of a list: position ** -bias. 0 is a user who
 * looks at all positions; with 1, the second position is looked at half as often as the first (Joachims, Swaminathan and
 * Schnabel, WSDM 2017, use the same form).
 */
export const examinationOf = (position: number, bias: number): number => position ** -bias;
