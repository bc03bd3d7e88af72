import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandLogger } from "./command-logger.ts";
import { componentLogger } from "./component-logger.ts";
import type { LogFormat, LogLevel } from "./pino-records.ts";

function logTo(level: LogLevel, format: LogFormat) {
  const lines: string[] = [];
  let now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  const logger = commandLogger({ level, format, write: (line) => lines.push(line), wallMs: () => now++ });
  return { lines, logger };
}

describe("log", () => {
  it("writes a line for people: UTC time, level, message, pairs", async () => {
    const { lines, logger } = logTo("info", "text");
    logger.info({ topic: "orders", note: "two words", count: 3 }, "created");
    logger.warn("plain");
    await logger.flush();
    assert.deepEqual(lines, [
      '2026-01-02T03:04:05.678Z INFO  created topic=orders note="two words" count=3\n',
      "2026-01-02T03:04:05.679Z WARN  plain\n",
    ]);
  });

  it("writes one JSON object per line", async () => {
    const { lines, logger } = logTo("info", "json");
    logger.error({ err: new TypeError("broken") }, "failed");
    await logger.flush();
    const record = JSON.parse(lines[0]!);
    assert.equal(record.level, "error");
    assert.equal(record.time, "2026-01-02T03:04:05.678Z");
    assert.equal(record.msg, "failed");
    assert.equal(record.err.type, "TypeError");
    assert.equal(record.err.message, "broken");
  });

  it("shows an error's message and code, and its stack from level error on", async () => {
    const { lines, logger } = logTo("trace", "text");
    const error = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    logger.warn({ err: error }, "no answer");
    logger.error({ err: error }, "no answer");
    await logger.flush();
    assert.match(lines[0]!, /WARN {2}no answer · refused \(ECONNREFUSED\)\n$/);
    assert.match(lines[1]!, /ERROR no answer · refused \(ECONNREFUSED\)\n {4}at /);
  });

  it("says an error's causes once, however often the errors around them repeat it", async () => {
    const { lines, logger } = logTo("trace", "text");
    const disk = Object.assign(new Error("/data/log: no space left on device"), { code: "ENOSPC" });
    const store = new Error(`the store cannot be opened: ${disk.message}`, { cause: disk });
    const server = Object.assign(new Error(store.message, { cause: store }), { code: "NO_SPACE" });
    const silent = new Error("the start failed", { cause: disk });
    logger.warn({ err: server }, "no start");
    logger.error({ err: server }, "no start");
    logger.warn({ err: silent }, "no start");
    logger.warn({ err: "a string" }, "no start");
    await logger.flush();
    const said = "WARN  no start · the store cannot be opened: /data/log: no space left on device (NO_SPACE)";
    assert.equal(lines[0], `2026-01-02T03:04:05.678Z ${said}\n`);
    assert.equal(lines[1]!.split("no space left").length, 2, lines[1]);
    assert.match(lines[1]!, /\ncaused by Error \(ENOSPC\)\n {4}at /);
    assert.match(lines[2]!, /the start failed: \/data\/log: no space left on device\n$/);
    assert.match(lines[3]!, /no start · "?a string"?\n$/);
  });

  it("holds back what is said again and again, but for what is fatal", async () => {
    const { lines, logger } = logTo("info", "text");
    for (let i = 0; i < 100; i++) {
      logger.warn({ i }, "again");
      logger.fatal("the end");
    }
    await logger.flush();
    assert.equal(lines.filter((line) => line.includes("again")).length, 20);
    assert.equal(lines.filter((line) => line.includes("the end")).length, 100);
  });

  it("says which part of the server a record comes from", async () => {
    const { lines, logger } = logTo("info", "json");
    const store = componentLogger(logger, "store");
    store.info("open");
    store.warn({ path: "/x" }, "odd");
    await logger.flush();
    const records = lines.map((line) => JSON.parse(line));
    assert.deepEqual(
      records.map(({ component, level, msg, path }) => [component, level, msg, path]),
      [
        ["store", "info", "open", undefined],
        ["store", "warn", "odd", "/x"],
      ],
    );
  });

  it("drops what is below its level", async () => {
    const { lines, logger } = logTo("warn", "text");
    logger.info("quiet");
    logger.warn("loud");
    await logger.flush();
    assert.equal(lines.length, 1);
  });

  it("keeps order and time of what came while pino was loading", async () => {
    const { lines, logger } = logTo("trace", "text");
    logger.info("one");
    logger.debug("two");
    await logger.flush();
    logger.info("three");
    assert.deepEqual(
      lines.map((line) => line.trim().split(/\s+/).slice(0, 3)),
      [
        ["2026-01-02T03:04:05.678Z", "INFO", "one"],
        ["2026-01-02T03:04:05.679Z", "DEBUG", "two"],
        ["2026-01-02T03:04:05.680Z", "INFO", "three"],
      ],
    );
  });
});
