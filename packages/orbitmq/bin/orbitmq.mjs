#!/usr/bin/env node
// The command inside this repository (`npm start`, `npx orbitmq`): npm links it at install time, before there is
// a build. The published package links its bundle directly.
import { existsSync } from "node:fs";

const bundle = new URL("../dist/cli.js", import.meta.url);
if (existsSync(bundle)) import(bundle);
else {
  console.error("orbitmq is not built yet: npm run build");
  process.exitCode = 2;
}
