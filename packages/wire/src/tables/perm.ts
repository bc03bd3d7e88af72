/** What may be done with a topic's queues on a broker (RocketMQ: PermName); 6 is read and write. */
export const Perm = {
  /** A topic that new topics may be created after, on first send. */
  INHERIT: 0x1,
  WRITE: 0x2,
  READ: 0x4,
  PRIORITY: 0x8,
  READ_WRITE: 0x6,
} as const;

export function isReadable(perm: number): boolean {
  return (perm & Perm.READ) !== 0;
}

export function isWritable(perm: number): boolean {
  return (perm & Perm.WRITE) !== 0;
}

export function isInherited(perm: number): boolean {
  return (perm & Perm.INHERIT) !== 0;
}

/** `RW-` for 6, as mqadmin shows it. */
export function permName(perm: number): string {
  return `${isReadable(perm) ? "R" : "-"}${isWritable(perm) ? "W" : "-"}${isInherited(perm) ? "X" : "-"}`;
}
