/** One series over time as plain SVG, from zero. */
import { svgPage } from "./svg-page.ts";

export interface Line {
  readonly title: string;
  readonly unit: string;
  /** At equal distances. */
  readonly values: readonly number[];
}

const WIDTH = 720;
const HEIGHT = 240;
const LEFT = 60;
const TOP = 48;

export function lineSvg({ title, unit, values }: Line): string {
  const most = Math.max(1, ...values) * 1.1;
  const x = (index: number) => LEFT + (index * WIDTH) / Math.max(1, values.length - 1);
  const y = (value: number) => TOP + HEIGHT * (1 - value / most);
  const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * most);
  const parts = [
    `<text x="${LEFT}" y="20" font-size="14" font-weight="bold">${title}</text>`,
    `<text x="${LEFT}" y="38" fill="#555">${unit}</text>`,
    ...ticks.flatMap((tick) => [
      `<line x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end" fill="#555">${tick.toFixed(0)}</text>`,
    ]),
    `<polyline points="${points}" fill="none" stroke="#2f6fab" stroke-width="2"/>`,
  ];
  return svgPage(title, LEFT + WIDTH + 20, TOP + HEIGHT + 20, parts);
}
