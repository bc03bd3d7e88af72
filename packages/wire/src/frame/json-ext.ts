/**
 * The ext fields of a JSON header: a flat object. Values are strings; numbers and booleans from lenient peers
 * count as their text, null as absent. The decoder has only found where the object ends; whoever reads one that
 * is not flat JSON gets WireError FRAME_MALFORMED.
 */
import { isObjectEnd, member, nextMember, skipSpace, unescapeJson } from "../json/json-scan.ts";
import { WireError } from "../wire-error.ts";
import { findName, LocatedExt, sameText } from "./located-ext.ts";

/** Its bytes are what stands between an object's braces, the closing one included. */
export class JsonExt extends LocatedExt {
  get(name: string): string | undefined {
    const { buffer } = this;
    let found: string | undefined;
    for (let at = this.#first(); !isObjectEnd(buffer, at); ) {
      at = this.#next(at);
      const isNamed = member.nameEscaped
        ? this.#name() === name
        : sameText(buffer, member.nameStart, member.nameEnd, name);
      if (isNamed) found = this.#isNull() ? undefined : this.#value();
    }
    return found;
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let at = this.#first(); !isObjectEnd(this.buffer, at); ) {
      at = this.#next(at);
      if (!this.#isNull()) visit(this.#name(), this.#value());
    }
  }

  locate(names: readonly string[], found: Int32Array): void {
    const { buffer } = this;
    let expected = 0;
    for (let at = this.#first(); !isObjectEnd(buffer, at); ) {
      at = this.#next(at);
      const i = member.nameEscaped
        ? names.indexOf(this.#name())
        : findName(buffer, member.nameStart, member.nameEnd, names, expected);
      if (i < 0) continue;
      expected = i + 1;
      if (this.#isNull()) found[2 * i] = 0;
      else {
        found[2 * i] = member.valueEscaped ? -member.valueStart : member.valueStart;
        found[2 * i + 1] = member.valueEnd;
      }
    }
  }

  text(start: number, end: number): string {
    if (start > 0) return this.buffer.toString("utf8", start, end);
    return unescapeJson(this.buffer, -start, end) ?? malformed("a string with bad escapes");
  }

  #first(): number {
    return skipSpace(this.buffer, this.start, this.end);
  }

  #next(at: number): number {
    const next = nextMember(this.buffer, at, this.end);
    if (next < 0 || member.kind === "nested") malformed("ext fields that are no flat JSON object");
    return next;
  }

  #isNull(): boolean {
    return member.kind === "scalar" && sameText(this.buffer, member.valueStart, member.valueEnd, "null");
  }

  #name(): string {
    return this.text(member.nameEscaped ? -member.nameStart : member.nameStart, member.nameEnd);
  }

  #value(): string {
    return this.text(member.valueEscaped ? -member.valueStart : member.valueStart, member.valueEnd);
  }
}

function malformed(what: string): never {
  throw new WireError("FRAME_MALFORMED", `a frame's header has ${what}`);
}
