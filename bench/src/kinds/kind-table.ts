/** What rounds of one kind of message beside plain ones gave: a table of medians with their ranges, and the verdict. */
import { type Spread, spread } from "../measure/statistics.ts";
import type { KindTurn, Sender } from "./kind-rounds.ts";

/** The sender's one thread is the bottleneck beyond this share of a core. */
const SENDER_CORES_MOST = 0.95;

export interface KindVerdict {
  readonly lines: readonly string[];
  readonly passed: boolean;
}

const NAMES: Readonly<Record<KindTurn["kind"], string>> = {
  plain: "plain send",
  timer: "for a time",
  transaction: "transaction",
};

/** A Markdown table: a row for each kind and sender. Throws RangeError for no turns. */
export function kindTable(turns: readonly KindTurn[]): string[] {
  const lines = [
    "| what | sent by | messages/s | p50 ms | p99 ms | server CPU µs | its main thread µs | sender's cores |",
    "|---|---|---|---|---|---|---|---|",
  ];
  for (const sender of ["loader", "client"] as const) {
    for (const kind of new Set(turns.map((turn) => turn.kind))) {
      const own = turns.filter((turn) => turn.kind === kind && turn.sender === sender);
      if (own.length === 0) continue;
      const of = (pick: (turn: KindTurn) => number): Spread => spread(own.map(pick));
      const cells = [
        NAMES[kind],
        sender === "loader" ? "loader" : "our client",
        shown(
          of(({ result }) => result.perSecond),
          0,
        ),
        shown(
          of(({ result }) => result.p50Ms),
          2,
        ),
        shown(
          of(({ result }) => result.p99Ms),
          2,
        ),
        shown(
          of(({ result }) => result.serverCpuUs),
          1,
        ),
        shown(
          of(({ result }) => result.serverThreadUs),
          1,
        ),
        shown(of(senderCores), 2),
      ];
      lines.push(`| ${cells.join(" | ")} |`);
    }
  }
  return lines;
}

/** Each round's rate of `kind` by its rate of plain messages, the median against `least`; the loader's counts. */
export function kindVerdict(turns: readonly KindTurn[], kind: KindTurn["kind"], least: number): KindVerdict {
  const lines: string[] = [];
  let passed = true;
  for (const sender of ["loader", "client"] as const) {
    const ratios = turns
      .filter((turn) => turn.kind === kind && turn.sender === sender)
      .flatMap(({ round, result }) => {
        const plain = turns.find((turn) => isPlain(turn, sender, round));
        return plain === undefined ? [] : [result.perSecond / plain.result.perSecond];
      });
    if (ratios.length === 0) continue;
    const ratio = spread(ratios);
    const reached = ratio.median >= least;
    if (sender === "loader" && !reached) passed = false;
    const cores = Math.max(...turns.filter((turn) => turn.sender === sender).map(senderCores));
    const own = sender === "loader" ? "loader" : "client";
    lines.push(
      `${NAMES[kind]} ÷ plain send, by ${sender === "loader" ? "the loader" : "our client"}: ` +
        `${percent(ratio.median)} (${percent(ratio.least)} to ${percent(ratio.most)}), ` +
        `at least ${percent(least)}: ${reached ? "pass" : "falls short"}; ` +
        (cores > SENDER_CORES_MOST
          ? `the ${own} itself is the bottleneck (${cores.toFixed(2)} cores)`
          : `the ${own} has room (${cores.toFixed(2)} cores at most)`),
    );
  }
  return { lines, passed };
}

const isPlain = (turn: KindTurn, sender: Sender, round: number): boolean =>
  turn.kind === "plain" && turn.sender === sender && turn.round === round;

function senderCores({ result }: KindTurn): number {
  return (result.cpuSeconds * result.perSecond) / Math.max(1, result.acknowledged);
}

function shown({ median, least, most }: Spread, digits: number): string {
  const text = (value: number): string =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return least === most ? text(median) : `${text(median)} (${text(least)}–${text(most)})`;
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
