/**
 * Version ordinals peers tell each other (RocketMQ: MQVersion). Every release has two, n-1 for its snapshot and
 * n for the release; an ordinal beyond the last is a newer release and counts as such in comparisons.
 */
const LAST_ORDINAL = 612;

/** The ordinal of release 4.minor.patch or 5.minor.patch, minor and patch 0 to 9. */
export function mqVersion(major: 4 | 5, minor: number, patch: number): number {
  return (major === 4 ? 213 : 413) + 20 * minor + 2 * patch;
}

/** The releases at which behaviour changes, and those we speak with in tests. */
export const MQVersion = {
  V3_0_11: 37,
  V3_1_8: 63,
  V3_4_9: 121,
  V3_5_3: 127,
  V4_1_0: 233,
  V4_9_3: 399,
  V4_9_4: 401,
  V4_9_8: 409,
  V5_0_0: 413,
  V5_3_1: 475,
  V5_3_3: 479,
  V5_4_0: 493,
  V5_5_0: 513,
} as const;

/** What our servers and clients say they are. */
export const MQ_VERSION_CURRENT = MQVersion.V5_5_0;

/** `V5_5_0` for 513, `V5_5_0_SNAPSHOT` for 512; releases before 4.0.0 by the ordinal alone. */
export function mqVersionName(ordinal: number): string {
  if (ordinal >= LAST_ORDINAL) return "HIGHER_VERSION";
  if (ordinal < 212) {
    const old = Object.entries(MQVersion).find(([, value]) => value === ordinal);
    return old?.[0] ?? `V3(${ordinal})`;
  }
  const major = ordinal < 412 ? 4 : 5;
  const steps = ordinal - (major === 4 ? 212 : 412);
  const minor = Math.floor(steps / 20);
  const patch = Math.floor((steps % 20) / 2);
  return `V${major}_${minor}_${patch}${steps % 2 === 0 ? "_SNAPSHOT" : ""}`;
}
