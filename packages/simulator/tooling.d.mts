/** Types of tooling.mjs for its test. */
export class PatchError extends Error {}
export function applyPatch(tree: string, text: string, name: string): void;
