/** Which language a peer is written in (RocketMQ: LanguageCode): a byte in ROCKETMQ headers, a name in JSON ones. */
export const LanguageCode = {
  JAVA: 0,
  CPP: 1,
  DOTNET: 2,
  PYTHON: 3,
  DELPHI: 4,
  ERLANG: 5,
  RUBY: 6,
  OTHER: 7,
  HTTP: 8,
  GO: 9,
  PHP: 10,
  OMS: 11,
  RUST: 12,
  NODE_JS: 13,
} as const;

export type LanguageCode = (typeof LanguageCode)[keyof typeof LanguageCode];

/** What a command carries whose sender's language is absent or unlisted. */
export const LANGUAGE_UNKNOWN = -1;

const names: readonly string[] = Object.keys(LanguageCode);
const codes = new Map<string, number>(Object.entries(LanguageCode));

/** `NODE_JS` for 13; `undefined` for an unlisted code. */
export function languageName(code: number): string | undefined {
  return names[code];
}

/** 13 for `NODE_JS`; {@link LANGUAGE_UNKNOWN} for anything unlisted. */
export function languageCode(name: string): number {
  return codes.get(name) ?? LANGUAGE_UNKNOWN;
}
