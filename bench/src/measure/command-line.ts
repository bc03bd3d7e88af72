/** How a run is repeated: the command as it was given, without what names places of one machine. */
const PLACES = new Set(["--out", "--folder"]);

export function commandLine(command: string, args: readonly string[]): string {
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!;
    if (PLACES.has(word)) index++;
    else if (![...PLACES].some((place) => word.startsWith(`${place}=`))) words.push(quoted(word));
  }
  return ["npm run bench --", command, ...words].join(" ");
}

function quoted(word: string): string {
  return /^[\w.,:/=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
