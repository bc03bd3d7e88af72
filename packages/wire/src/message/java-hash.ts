/** Java's String.hashCode: 31 * h + each UTF-16 unit, in int32 arithmetic. Tags codes and index keys are made of it. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}
