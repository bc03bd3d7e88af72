/**
 * One pass over the properties of a message that is being sent: finds what the broker acts on, and what it
 * must refuse because it would have to act on it and cannot yet. No map is built; this runs for every message.
 *
 * RocketMQ's broker parses all properties into a map, puts MSG_REGION, TRACE_ON, CLUSTER and, when missing,
 * UNIQ_KEY into it and drops POP_CK; `storedProperties` gives the same set with the client's text untouched.
 */
import { MessageConst, NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR, parseProperties } from "@orbitmq/wire";

/** Properties only the broker sets; a message that is sent on may carry those of its former life. */
const BROKERS_OWN = ["MSG_REGION", "TRACE_ON", "CLUSTER", "POP_CK"] as const;
const TIMER_PREFIX = "TIMER_";
const TIMER_TRIGGERS: ReadonlySet<string> = new Set([
  "TIMER_DELAY_SEC",
  "TIMER_DELAY_MS",
  "TIMER_DELIVER_MS",
]);
/** Entries shorter than this are no properties (RocketMQ: MessageDecoder). */
const ENTRY_LENGTH_MIN = 3;

export class SentProperties {
  /** The client's unique id. */
  uniqKey: string | undefined;
  /** WAIT=false: the sender does not want to wait for the disk. */
  waitsForStore = true;
  /** DELAY: the level of delayed delivery; 0 when none is asked for. */
  delayLevel = 0;
  /** TRAN_MSG=true: a half of a transaction. */
  isHalf = false;
  /** A timer is asked for; a delay level counts more. */
  #timer: string | undefined;
  #unsupported: string | undefined;
  /** Some of the broker's own properties are there and must be replaced. */
  #hasBrokersOwn = false;

  /** What is asked for and cannot be done, for the remark. */
  get unsupported(): string | undefined {
    return this.#unsupported;
  }

  /** The timed delivery that is asked for, in words; a delay level counts more. */
  get timer(): string | undefined {
    return this.delayLevel > 0 ? undefined : this.#timer;
  }

  scan(text: string): void {
    this.uniqKey = undefined;
    this.waitsForStore = true;
    this.delayLevel = 0;
    this.isHalf = false;
    this.#timer = undefined;
    this.#unsupported = undefined;
    this.#hasBrokersOwn = false;
    for (let at = 0; at < text.length; ) {
      let end = text.indexOf(PROPERTY_SEPARATOR, at);
      if (end < 0) end = text.length;
      const middle = text.indexOf(NAME_VALUE_SEPARATOR, at);
      if (middle < 0) return;
      if (middle < end && end - at >= ENTRY_LENGTH_MIN) this.#entry(text, at, middle, end);
      at = end + 1;
    }
  }

  /** What is stored: the client's properties, `ending` (the broker's own), and `uniqKey` where none was sent. */
  storedText(text: string, newUniqKey: string | undefined, ending: string): string {
    let stored = this.#hasBrokersOwn ? withoutBrokersOwn(text) : text;
    if (stored !== "" && !stored.endsWith(PROPERTY_SEPARATOR)) stored += PROPERTY_SEPARATOR;
    if (newUniqKey !== undefined) {
      stored += `UNIQ_KEY${NAME_VALUE_SEPARATOR}${newUniqKey}${PROPERTY_SEPARATOR}`;
    }
    return stored + ending;
  }

  #entry(text: string, start: number, middle: number, end: number): void {
    const length = middle - start;
    switch (text.charCodeAt(start)) {
      case 0x55: // U
        if (isName(text, start, length, "UNIQ_KEY") && end > middle + 1)
          this.uniqKey = text.slice(middle + 1, end);
        return;
      case 0x57: // W
        if (isName(text, start, length, "WAIT"))
          this.waitsForStore = end === middle + 1 || isTrue(text.slice(middle + 1, end));
        return;
      case 0x44: // D
        if (isName(text, start, length, "DELAY")) this.#delay(text.slice(middle + 1, end));
        return;
      case 0x49: // I
        if (isName(text, start, length, "INNER_NUM")) this.#unsupported = "an inner batch (INNER_NUM)";
        return;
      case 0x54: // T
        if (isName(text, start, length, "TRAN_MSG")) {
          this.isHalf = isTrue(text.slice(middle + 1, end));
        } else if (isName(text, start, length, "TRACE_ON")) this.#hasBrokersOwn = true;
        else if (text.startsWith(TIMER_PREFIX, start)) {
          const name = text.slice(start, middle);
          if (TIMER_TRIGGERS.has(name)) this.#timer = `timed delivery (${name})`;
        }
        return;
      case 0x4d: // M
        if (isName(text, start, length, "MSG_REGION")) this.#hasBrokersOwn = true;
        return;
      case 0x43: // C
        if (isName(text, start, length, "CLUSTER")) this.#hasBrokersOwn = true;
        return;
      case 0x50: // P
        if (isName(text, start, length, "POP_CK")) this.#hasBrokersOwn = true;
    }
  }

  #delay(value: string): void {
    if (value === "") return;
    if (LEVEL.test(value)) this.delayLevel = Math.max(0, Number(value));
    else this.#unsupported = `a delay level that is no number (${MessageConst.DELAY_TIME_LEVEL})`;
  }
}

/** No number, no level: it can be neither honoured nor passed over. */
const LEVEL = /^[+-]?\d{1,10}$/;

function isName(text: string, start: number, length: number, name: string): boolean {
  return name.length === length && text.startsWith(name, start);
}

/** The properties a broker puts at the end of every message sent to it one by one. */
export function brokersOwnProperties(regionId: string, traceOn: boolean, clusterName: string): string {
  const entry = (name: string, value: string) =>
    `${name}${NAME_VALUE_SEPARATOR}${value}${PROPERTY_SEPARATOR}`;
  return entry("MSG_REGION", regionId) + entry("TRACE_ON", String(traceOn)) + entry("CLUSTER", clusterName);
}

function withoutBrokersOwn(text: string): string {
  const properties = parseProperties(text);
  for (const name of BROKERS_OWN) properties.delete(name);
  let kept = "";
  for (const [name, value] of properties)
    kept += `${name}${NAME_VALUE_SEPARATOR}${value}${PROPERTY_SEPARATOR}`;
  return kept;
}

/** As Java's Boolean.parseBoolean. */
function isTrue(text: string): boolean {
  return text.toLowerCase() === "true";
}
