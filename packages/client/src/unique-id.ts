/**
 * The id a producer gives each message, kept across all attempts (RocketMQ: MessageClientIDSetter, the property
 * UNIQ_KEY). Grammar, as uppercase hex:
 *
 *   uniqId = ip:(4|16 bytes) pid:u16 instance:u32 sinceMonthStartMs:u32 counter:u16
 *
 * Java puts its class loader's hash where `instance` is; here it is random, so that ids of several producers in
 * one process differ. The time runs by the monotonic clock from where the wall clock stood when the producer was
 * made: it never steps back, so an id is never repeated. Months begin in UTC.
 */
import type { Clock, Host } from "@orbitmq/host";
import { parseV4, parseV6 } from "@orbitmq/wire";

const DAY_MS = 86_400_000;

export class UniqueIds {
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #wallAtOriginMs: number;
  #monthStartMs = 0;
  #nextMonthMs = 0;
  #lastMs = -1;
  #lastMsHex = "";
  #counter: number;

  constructor(host: Host) {
    this.#clock = host.clock;
    this.#prefix =
      ipHex(host.network.localAddresses()) +
      hex(host.process.pid & 0xffff, 4) +
      hex(host.random.int(2 ** 32), 8);
    this.#wallAtOriginMs = Math.floor(host.clock.wallMs() - host.clock.monotonicMs());
    this.#counter = 0;
  }

  next(): string {
    const nowMs = this.#wallAtOriginMs + Math.floor(this.#clock.monotonicMs());
    if (nowMs !== this.#lastMs) this.#enter(nowMs);
    this.#counter = (this.#counter + 1) & 0xffff;
    return this.#prefix + this.#lastMsHex + hex(this.#counter, 4);
  }

  #enter(nowMs: number): void {
    if (nowMs >= this.#nextMonthMs) {
      this.#monthStartMs = monthStartMs(nowMs);
      this.#nextMonthMs = monthStartMs(this.#monthStartMs + 32 * DAY_MS);
    }
    this.#lastMs = nowMs;
    this.#lastMsHex = hex(Math.max(nowMs - this.#monthStartMs, 0) % 2 ** 32, 8);
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

function ipHex(addresses: readonly string[]): string {
  const ip =
    addresses.map(parseV4).find((v4) => v4 !== undefined) ??
    addresses.map(parseV6).find((v6) => v6 !== undefined) ??
    Uint8Array.of(127, 0, 0, 1);
  return [...ip].map((byte) => hex(byte, 2)).join("");
}

/** Start of the UTC month that contains `epochMs`. */
export function monthStartMs(epochMs: number): number {
  const days = Math.floor(epochMs / DAY_MS);
  // Days are counted in a calendar whose years begin on 1 March, so that the leap day is a year's last.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * monthIndex + 2) / 5);
  return (days - dayOfMonth) * DAY_MS;
}
