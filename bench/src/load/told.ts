/** A load process that runs until its parent ends its standard input. */
export function told(): Promise<void> {
  return new Promise((resolve) => {
    process.stdin.resume();
    process.stdin.once("end", resolve);
  });
}
