/**
 * Whether a text contains another, in time that grows with the length of the text alone: what a consumer looks for and
 * what a producer has put into a property may be made to take each other's time (`includes` needs milliseconds then).
 */

/** In texts up to here, and for texts up to here, `includes` is quick whatever they hold. */
const SHORT_MAX = 256;
const WANTED_SHORT_MAX = 16;

/** `wanted` is not empty. */
export function textFinder(wanted: string): (text: string) => boolean {
  let borders: Uint16Array | undefined;
  return (text) => {
    if (text.length <= SHORT_MAX || wanted.length <= WANTED_SHORT_MAX) return text.includes(wanted);
    borders ??= bordersOf(wanted);
    return isFound(text, wanted, borders);
  };
}

/** For each beginning of `wanted`, how much of it is also its end (Knuth, Morris and Pratt). */
function bordersOf(wanted: string): Uint16Array {
  const borders = new Uint16Array(wanted.length);
  for (let at = 1, matched = 0; at < wanted.length; at++) {
    while (matched > 0 && wanted.charCodeAt(at) !== wanted.charCodeAt(matched))
      matched = borders[matched - 1]!;
    if (wanted.charCodeAt(at) === wanted.charCodeAt(matched)) matched++;
    borders[at] = matched;
  }
  return borders;
}

function isFound(text: string, wanted: string, borders: Uint16Array): boolean {
  for (let at = 0, matched = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    while (matched > 0 && unit !== wanted.charCodeAt(matched)) matched = borders[matched - 1]!;
    if (unit === wanted.charCodeAt(matched) && ++matched === wanted.length) return true;
  }
  return false;
}
