/**
 * The kinds of value a configuration key can have: how text becomes a value, and how to say what was expected.
 * RocketMQ reads `yes` as false and silently drops a number it cannot parse; here a wrong value is an error.
 */
export type ConfigValue = string | number | boolean;

export interface ValueKind {
  /** Completes "expected …". */
  readonly expected: string;
  /** `undefined` when `text` is not of this kind. */
  parse(text: string): ConfigValue | undefined;
}

/** Any text, the empty one included. */
export const text: ValueKind = { expected: "text", parse: (value) => value };

export const nonEmpty: ValueKind = {
  expected: "a text that is not empty",
  parse: (value) => value || undefined,
};

export const flag: ValueKind = {
  expected: "true or false",
  parse: (value) => ({ true: true, false: false })[value.toLowerCase()],
};

/** A whole number from `min` to `max`, both allowed. */
export function integer(min: number, max: number, unit = ""): ValueKind {
  // Not toLocaleString: loading the locale data would cost the start more than all other configuration.
  const shown = (bound: number) => String(bound).replace(/\B(?=(\d{3})+$)/g, ",");
  const range =
    max >= Number.MAX_SAFE_INTEGER
      ? `a whole number, at least ${shown(min)}`
      : `a whole number from ${shown(min)} to ${shown(max)}`;
  return {
    expected: unit === "" ? range : `${range} (${unit})`,
    parse: (value) => {
      if (!/^[+-]?\d{1,16}$/.test(value)) return undefined;
      const number = Number(value);
      return Number.isSafeInteger(number) && number >= min && number <= max ? number : undefined;
    },
  };
}

export const port: ValueKind = {
  expected: "a port from 1 to 65535, or 0 for a free one",
  parse: (value) => integer(0, 65_535).parse(value),
};

/** As `port`, where 0 means none. */
export const portOrNone: ValueKind = { ...port, expected: "a port from 1 to 65535, or 0 for none" };

/** A decimal number from 0 to 1 or a percentage, for keys that have no effect anyway. */
export const decimal: ValueKind = {
  expected: "a number",
  parse: (value) => (/^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined),
};

/** One of `names`, as RocketMQ spells them. */
export function oneOf(...names: string[]): ValueKind {
  return {
    expected: names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`,
    parse: (value) => (names.includes(value) ? value : undefined),
  };
}

/** `host:port`, several separated by `;` as RocketMQ has it (`,` is not a separator). */
export const addressList: ValueKind = {
  expected: "host:port, several separated by ;",
  parse: (value) => {
    const parts = value.split(";").map((part) => part.trim());
    return parts.every((part) => {
      const match = /^(\[[0-9a-fA-F:.]+\]|[^\s:;,[\]]+):(\d{1,5})$/.exec(part);
      return match !== null && Number(match[2]) >= 1 && Number(match[2]) <= 65_535;
    })
      ? parts.join(";")
      : undefined;
  },
};

/** A host name or numeric address, without a port. */
export const hostName: ValueKind = {
  expected: "a host name or IP address, without a port",
  parse: (value) =>
    /^[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?$/.test(value) ||
    /^[0-9a-fA-F]*:[0-9a-fA-F:.]+$/.test(value)
      ? value
      : undefined,
};

/** Hours of the day as RocketMQ writes them: 04, several separated by `;`. */
export const hours: ValueKind = {
  expected: "an hour from 00 to 23, several separated by ;",
  parse: (value) =>
    value.split(";").every((hour) => /^([01]?\d|2[0-3])$/.test(hour.trim())) ? value : undefined,
};

/** Broker and cluster names travel in file names, JSON keys and separators-joined texts. */
export const brokerName: ValueKind = {
  expected: "1 to 127 letters, digits or any of % | - _ .",
  parse: (value) => (/^[%|a-zA-Z0-9_.-]{1,127}$/.test(value) ? value : undefined),
};
