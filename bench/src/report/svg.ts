/** Bars with their ranges, as plain SVG: rates or latencies of servers, grouped by what was in flight. */
import type { Spread } from "../measure/statistics.ts";
import { svgPage } from "./svg-page.ts";

export interface Bar {
  readonly group: string;
  readonly series: string;
  readonly value: Spread;
}

export interface Plot {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
  /** Values are far apart. */
  readonly logarithmic?: boolean;
}

const COLOURS = ["#2f6fab", "#c8553d", "#8a8f98", "#5a9367", "#7d5ba6"] as const;
const PLOT_HEIGHT = 260;
const TOP = 48;
const LEFT = 70;
const BAR_WIDTH = 34;
const GROUP_GAP = 28;
const BOTTOM = 56;

export function svg({ title, unit, bars, logarithmic = false }: Plot): string {
  const groups = [...new Set(bars.map(({ group }) => group))];
  const series = [...new Set(bars.map((bar) => bar.series))];
  const groupWidth = series.length * BAR_WIDTH + GROUP_GAP;
  const width = LEFT + groups.length * groupWidth + 20;
  const height = TOP + PLOT_HEIGHT + BOTTOM;
  const most = Math.max(...bars.map(({ value }) => value.most));
  const least = logarithmic ? Math.min(...bars.map(({ value }) => value.least)) / 2 : 0;
  const y = (value: number): number => {
    const share = logarithmic ? Math.log(value / least) / Math.log(most / least) : value / most;
    return TOP + PLOT_HEIGHT * (1 - Math.min(1, Math.max(0, share)));
  };
  const parts = [
    text(LEFT, 20, title, 'font-size="14" font-weight="bold"'),
    text(LEFT, 38, unit, 'fill="#555"'),
    ...ticks(least, most, logarithmic).flatMap((tick) => [
      `<line x1="${LEFT}" x2="${width - 10}" y1="${round(y(tick))}" y2="${round(y(tick))}" stroke="#ddd"/>`,
      text(LEFT - 6, y(tick) + 4, short(tick), 'text-anchor="end" fill="#555"'),
    ]),
  ];
  for (const { group, series: name, value } of bars) {
    const x = LEFT + GROUP_GAP / 2 + groups.indexOf(group) * groupWidth + series.indexOf(name) * BAR_WIDTH;
    const top = y(value.median);
    const middle = x + BAR_WIDTH / 2 - 2;
    parts.push(
      `<rect x="${round(x)}" y="${round(top)}" width="${BAR_WIDTH - 4}" height="${round(TOP + PLOT_HEIGHT - top)}" fill="${COLOURS[series.indexOf(name) % COLOURS.length]}"/>`,
      `<line x1="${round(middle)}" x2="${round(middle)}" y1="${round(y(value.most))}" y2="${round(y(value.least))}" stroke="#222"/>`,
      text(middle, y(value.most) - 4, short(value.median), 'text-anchor="middle" font-size="10"'),
    );
  }
  groups.forEach((group, index) => {
    const x = LEFT + index * groupWidth + groupWidth / 2;
    parts.push(text(x, TOP + PLOT_HEIGHT + 18, group, 'text-anchor="middle"'));
  });
  series.forEach((name, index) => {
    const x = LEFT + index * 130;
    parts.push(
      `<rect x="${x}" y="${height - 22}" width="12" height="12" fill="${COLOURS[index % COLOURS.length]}"/>`,
      text(x + 18, height - 12, name, ""),
    );
  });
  const size = Math.max(width, LEFT + series.length * 130);
  return svgPage(title, size, height, parts);
}

function ticks(least: number, most: number, logarithmic: boolean): number[] {
  if (logarithmic) {
    const powers: number[] = [];
    for (let tick = 10 ** Math.ceil(Math.log10(least)); tick <= most; tick *= 10) powers.push(tick);
    return powers;
  }
  const step = 10 ** Math.floor(Math.log10(most / 2));
  const width = [1, 2, 5, 10].find((factor) => most / (step * factor) <= 5) ?? 10;
  const found: number[] = [];
  for (let tick = 0; tick <= most; tick += step * width) found.push(tick);
  return found;
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped}</text>`;
}

function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  if (value >= 1e3) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)} k`;
  return value >= 10 || value === 0 ? value.toFixed(0) : value.toPrecision(2);
}

function round(value: number): string {
  return value.toFixed(1);
}
