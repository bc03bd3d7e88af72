/** The banner's text: plain for logs, coloured labels for a person at a terminal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { type BannerLine, bannerText } from "./banner.ts";

const lines: readonly BannerLine[] = [
  ["store", "./data: new store"],
  ["warning", "no access control"],
];

test("the banner has no control characters unless colours are asked for", () => {
  assert.equal(bannerText(lines), "store    ./data: new store\nwarning  no access control\n");
});

test("colours change nothing that is read", () => {
  const coloured = bannerText(lines, true);
  assert.notEqual(coloured, bannerText(lines));
  assert.equal(stripVTControlCharacters(coloured), bannerText(lines));
});
