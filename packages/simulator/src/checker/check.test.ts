import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check, type Invariant } from "./check.ts";
import { type HistoryEvent, LAST_READER } from "./history.ts";

const SYNC: CheckOptions = { flush: "SYNC_FLUSH", groups: [] };
const ASYNC: CheckOptions = { flush: "ASYNC_FLUSH", groups: [] };
const GROUP: CheckOptions = { flush: "SYNC_FLUSH", groups: ["g"] };
const QUEUE = "t@a:0";

let clock = 0;
const at = () => ({ atMs: ++clock });
const send = (id: string, producer = "p", waits = true): HistoryEvent => ({
  kind: "send",
  ...at(),
  id,
  producer,
  waits,
});
const ack = (id: string, offset: number, queue = QUEUE, survives = true): HistoryEvent => ({
  kind: "acknowledged",
  ...at(),
  id,
  queue,
  offset,
  survives,
});
const refused = (id: string): HistoryEvent => ({ kind: "refused", ...at(), id, code: "X" });
const unknown = (id: string): HistoryEvent => ({ kind: "unknown", ...at(), id, code: "X" });
const seen = (
  id: string | undefined,
  offset: number,
  copy = `copy-${id}`,
  intact = true,
  survives = true,
): HistoryEvent => ({
  kind: "seen",
  ...at(),
  by: "reader",
  queue: QUEUE,
  offset,
  id,
  copy,
  intact,
  survives,
});
const listened = (id: string, offset: number, success = true): HistoryEvent => ({
  kind: "listened",
  ...at(),
  group: "g",
  by: "m",
  queue: QUEUE,
  offset,
  id,
  success,
});
const committed = (offset: number, reaches = true): HistoryEvent => ({
  kind: "committed",
  ...at(),
  group: "g",
  queue: QUEUE,
  offset,
  reaches,
});
const drained = (to: number, from = 0): HistoryEvent => ({
  kind: "drained",
  ...at(),
  queue: QUEUE,
  from,
  to,
});
const cacheLost: HistoryEvent = { kind: "cache-lost", atMs: 1e6, broker: "a" };

function broken(history: readonly HistoryEvent[], options: CheckOptions = SYNC): Invariant[] {
  return check(history, options).violations.map((violation) => violation.invariant);
}

test("a history that keeps the promise has no violations and is counted", () => {
  const history = [
    send("1"),
    ack("1", 0),
    send("2"),
    unknown("2"),
    send("3"),
    refused("3"),
    send("4"),
    ack("4", 2),
    ...["1", "2", "4"].map((id, offset) => seen(id, offset)),
    ...["1", "2", "4"].map((id, offset) => listened(id, offset)),
    committed(3),
    drained(3),
  ];
  const { violations, counts } = check(history, GROUP);
  assert.deepEqual(violations, []);
  assert.deepEqual(counts, {
    sent: 4,
    acknowledged: 2,
    refused: 1,
    unknown: 1,
    seen: 3,
    listened: 3,
    committed: 1,
    keyAnswers: 0,
    unknownFound: 1,
    extraCopies: 0,
    repeated: 0,
  });
});

test("an acknowledged message beyond the end of its queue is lost", () => {
  assert.deepEqual(broken([send("1"), ack("1", 0), drained(0)]), ["acknowledged-kept"]);
});

test("an acknowledged message in a queue nobody could read counts as lost", () => {
  assert.deepEqual(broken([send("1"), ack("1", 0)]), ["acknowledged-kept"]);
});

test("an acknowledged message replaced by another is noticed", () => {
  const history = [send("1"), ack("1", 0), send("2", "q"), unknown("2"), seen("2", 0), drained(1)];
  assert.deepEqual(broken(history), ["slot-stable"]);
});

test("an offset inside the queue that cannot be read is a hole", () => {
  const history = [send("1"), ack("1", 1), seen("1", 1), drained(2)];
  assert.deepEqual(broken(history), ["no-holes"]);
});

test("a message nobody sent, one without an id, and one that was refused must not appear", () => {
  assert.deepEqual(broken([seen("9", 0)]), ["only-sent"]);
  assert.deepEqual(broken([seen(undefined, 0)]), ["only-sent"]);
  assert.deepEqual(broken([send("1"), refused("1"), seen("1", 0), drained(1)]), ["only-sent"]);
});

test("a message seen before it was sent was never sent", () => {
  assert.deepEqual(broken([seen("1", 0), send("1"), ack("1", 0), seen("1", 0), drained(1)]), ["only-sent"]);
});

test("a message that is seen changed is damaged", () => {
  const history = [send("1"), ack("1", 0), seen("1", 0, "copy-1", false), drained(1)];
  assert.deepEqual(broken(history), ["intact"]);
});

test("what a consumer saw must stay: gone at the end, or another copy in its place", () => {
  assert.deepEqual(broken([send("1"), unknown("1"), seen("1", 0), drained(0)]), ["slot-stable"]);
  const replaced = [send("1"), unknown("1"), seen("1", 0, "old"), seen("1", 0, "new"), drained(1)];
  assert.deepEqual(broken(replaced), ["slot-stable"]);
});

test("an acknowledgement for a place where another message was seen is noticed", () => {
  const history = [send("1"), unknown("1"), seen("1", 0), send("2"), ack("2", 0), drained(1)];
  assert.deepEqual(broken(history), ["slot-stable"]);
});

test("what is acknowledged or seen before it is on disk is noticed, though no crash took it", () => {
  const early = [send("1"), ack("1", 0, QUEUE, false), seen("1", 0), drained(1)];
  assert.deepEqual(broken(early), ["durable"]);
  assert.deepEqual(broken(early, ASYNC), []);
  assert.deepEqual(broken([send("1"), ack("1", 0), seen("1", 0, "copy-1", true, false), drained(1)]), [
    "durable",
  ]);
});

test("two acknowledged messages cannot share a queue offset", () => {
  const history = [send("1"), ack("1", 0), send("2"), ack("2", 0), seen("1", 0), drained(1)];
  assert.ok(broken(history).includes("slot-unique"));
});

test("acknowledged copies of a waiting producer lie in the order sent; others may not", () => {
  const history = (waits: boolean) => [
    send("1", "p", waits),
    ack("1", 1),
    send("2", "p", waits),
    ack("2", 0),
    seen("2", 0),
    seen("1", 1),
    drained(2),
  ];
  assert.deepEqual(broken(history(true)), ["order"]);
  assert.deepEqual(broken(history(false)), []);
});

test("late copies of timed-out attempts are allowed anywhere and counted", () => {
  const history = [send("1"), ack("1", 1), send("2"), ack("2", 2)];
  history.push(seen("2", 0, "late"), seen("1", 1), seen("2", 2), seen("1", 3, "late"), drained(4));
  const { violations, counts } = check(history, SYNC);
  assert.deepEqual(violations, []);
  assert.equal(counts.extraCopies, 2);
});

test("an acknowledged message that the group never consumed is noticed, whatever else saw it", () => {
  const history = [send("1"), ack("1", 0), seen("1", 0), listened("1", 0, false), drained(1)];
  assert.deepEqual(broken(history, GROUP), ["consumed"]);
});

test("an offset committed before a listener succeeded is noticed", () => {
  const start = [send("1"), ack("1", 0), send("2"), ack("2", 1), seen("1", 0), seen("2", 1)];
  const before = [...start, listened("2", 1), committed(2), listened("1", 0), drained(2)];
  assert.deepEqual(broken(before, GROUP), ["commit-after-listener"]);
  const failed = [
    ...start,
    listened("1", 0, false),
    committed(1),
    listened("1", 0),
    listened("2", 1),
    drained(2),
  ];
  assert.deepEqual(broken(failed, GROUP), ["commit-after-listener"]);
  const after = [...start, listened("1", 0), committed(1), listened("2", 1), committed(2), drained(2)];
  assert.deepEqual(broken(after, GROUP), []);
});

test("what a group committed last must be what is left of it after a crash", () => {
  const start = [send("1"), ack("1", 0), seen("1", 0), listened("1", 0), committed(1)];
  const kept = (offset: number | undefined): HistoryEvent => ({
    kind: "group-offset",
    ...at(),
    group: "g",
    queue: QUEUE,
    offset,
  });
  assert.deepEqual(broken([...start, kept(1), drained(1)], GROUP), []);
  assert.deepEqual(broken([...start, kept(0), drained(1)], GROUP), ["commit-kept"]);
  assert.deepEqual(broken([...start, kept(undefined), drained(1)], GROUP), ["commit-kept"]);
  const ended = (afterMs: number): HistoryEvent => ({
    kind: "broker-ended",
    atMs: clock + afterMs,
    broker: "a",
  });
  const late = [...start, ended(20_000), kept(0), drained(1)];
  assert.deepEqual(broken(late, GROUP), ["commit-kept"], "the broker had the time to write it");
  for (const offset of [0, 1]) {
    const unsure = [...start, committed(0, false), kept(offset), drained(1)];
    assert.deepEqual(broken(unsure, GROUP), [], "a commit that seemed lost may have arrived, or not");
  }
  assert.deepEqual(broken([...start, ended(2_000), kept(0), drained(1)], GROUP), []);
  const shrunk = [...start, cacheLost, kept(0), drained(0)];
  assert.ok(broken(shrunk, GROUP).includes("commit-kept"));
  const asyncGroup = { ...ASYNC, groups: ["g"] };
  assert.deepEqual(broken(shrunk, asyncGroup), [], "what lies beyond the queue's end is kept as its end");
});

test("ASYNC_FLUSH: an acknowledgement that was under way when the memory was lost promises nothing", () => {
  const late = { ...ack("1", 0), atMs: 2e6 } as HistoryEvent;
  assert.deepEqual(broken([send("1"), cacheLost, late, drained(0)], ASYNC), []);
});

test("failures of processes, waits and life are violations as they are", () => {
  for (const invariant of ["live", "settles", "no-crash", "starts"] as const) {
    assert.deepEqual(broken([{ kind: "failure", ...at(), invariant, detail: "x" }]), [invariant]);
  }
});

test("ASYNC_FLUSH may lose and replace what a power loss took, and nothing else", () => {
  const lost = [send("1"), ack("1", 0), seen("1", 0), cacheLost, drained(0)];
  assert.deepEqual(broken(lost, ASYNC), []);
  const replaced = [send("1"), ack("1", 0), seen("1", 0), cacheLost];
  replaced.push({ ...send("2"), atMs: 1.5e6 } as HistoryEvent, { ...ack("2", 0), atMs: 2e6 } as HistoryEvent);
  const last = { ...seen("2", 0), by: LAST_READER } as HistoryEvent;
  assert.deepEqual(broken([...replaced, last, drained(1)], ASYNC), []);
  assert.ok(broken([...replaced, drained(0)], ASYNC).includes("acknowledged-kept"));
  assert.ok(broken([send("1"), ack("1", 0), seen("1", 0), drained(0)], ASYNC).includes("acknowledged-kept"));
});

test("ASYNC_FLUSH: what a consumer still held when the power went does not count against what came after", () => {
  const history = [
    send("1"),
    seen("1", 0),
    cacheLost,
    { ...send("2"), atMs: 1.5e6 } as HistoryEvent,
    { ...ack("2", 0), atMs: 2e6 } as HistoryEvent,
  ];
  history.push(seen("1", 0), { ...seen("2", 0), by: LAST_READER } as HistoryEvent, drained(1));
  assert.deepEqual(broken(history, ASYNC), []);
  const last = { ...seen("1", 0), by: LAST_READER } as HistoryEvent;
  assert.deepEqual(broken([...history.slice(0, -2), last, drained(1)], ASYNC), ["slot-stable"]);
});

test("each invariant is reported a few times only, so that a broken run stays readable", () => {
  const history = Array.from({ length: 100 }, (_, offset) => seen(`x${offset}`, offset));
  assert.equal(broken(history).length, 5);
});

test("where nothing fails a second copy and a second consumption are violations", () => {
  const twice = [send("1"), ack("1", 0), listened("1", 0), listened("1", 0), seen("1", 0), drained(1)];
  assert.deepEqual(broken(twice, GROUP), []);
  assert.equal(check(twice, GROUP).counts.repeated, 1);
  assert.deepEqual(broken(twice, { ...GROUP, faultless: true }), ["no-duplicates"]);
  const copies = [send("1"), ack("1", 1), seen("1", 0, "a"), seen("1", 1, "b"), drained(2)];
  assert.deepEqual(broken(copies), []);
  assert.deepEqual(broken(copies, { ...SYNC, faultless: true }), ["no-duplicates"]);
  const sentBack = { ...seen("1", 0, "b"), queue: "%RETRY%g@a:0" } as HistoryEvent;
  const retried = [send("1"), ack("1", 0), seen("1", 0, "a"), sentBack, drained(1)];
  assert.deepEqual(broken(retried, { ...SYNC, faultless: true }), [], "it was sent back");
});

test("a commit that came with an answered pull must be kept; one that came with another may be", () => {
  const start = [send("1"), ack("1", 0), seen("1", 0), listened("1", 0), committed(0)];
  const pulled = committed(1, false);
  const taken: HistoryEvent = {
    kind: "commit-taken",
    atMs: clock + 30_000,
    group: "g",
    queue: QUEUE,
    offset: 1,
    sentMs: pulled.atMs,
  };
  const kept = (offset: number): HistoryEvent => ({
    kind: "group-offset",
    atMs: clock + 40_000,
    group: "g",
    queue: QUEUE,
    offset,
  });
  const later = start.map((event) => ({ ...event, atMs: event.atMs - 2_000 }));
  for (const offset of [0, 1])
    assert.deepEqual(broken([...later, pulled, kept(offset), drained(1)], GROUP), []);
  assert.deepEqual(broken([...later, pulled, taken, kept(0), drained(1)], GROUP), ["commit-kept"]);
  assert.deepEqual(broken([...later, pulled, taken, kept(1), drained(1)], GROUP), []);
  const ended: HistoryEvent = { kind: "broker-ended", atMs: clock + 500, broker: "a" };
  assert.deepEqual(broken([...later, pulled, ended, kept(0), drained(1)], GROUP), [], "never written");
});

test("a commit that nobody saw arrive may overtake one of up to fifteen seconds later, and no other", () => {
  const start = [send("1"), ack("1", 0), seen("1", 0), listened("1", 0)];
  const kept: HistoryEvent = {
    kind: "group-offset",
    atMs: clock + 60_000,
    group: "g",
    queue: QUEUE,
    offset: 0,
  };
  const lost = committed(0, false);
  const after = (ms: number) => ({ ...committed(1), atMs: lost.atMs + ms });
  assert.deepEqual(broken([...start, lost, after(14_000), kept, drained(1)], GROUP), []);
  assert.deepEqual(broken([...start, lost, after(16_000), kept, drained(1)], GROUP), ["commit-kept"]);
});

test("a group may be back at older offsets once its broker could not read the newest", () => {
  const groupOffset = (offset: number): HistoryEvent => ({
    kind: "group-offset",
    ...at(),
    group: "g",
    queue: QUEUE,
    offset,
  });
  const base = [send("1"), ack("1", 0), seen("1", 0), listened("1", 0), committed(1), drained(1)];
  assert.deepEqual(broken([...base, groupOffset(0)], GROUP), ["commit-kept"]);
  const doubtful: HistoryEvent = { kind: "offsets-doubtful", ...at(), broker: "a" };
  assert.deepEqual(broken([...base, doubtful, groupOffset(0)], GROUP), []);
});

test("what a key leads to is checked: a missing message, another one, a damaged one", () => {
  const answer = (
    found: readonly string[],
    more: { complete?: boolean; intact?: boolean } = {},
  ): HistoryEvent => ({
    kind: "key-answer",
    ...at(),
    broker: "a",
    id: "1",
    sinceMs: clock,
    found,
    intact: true,
    complete: true,
    ...more,
  });
  const before = [send("1"), ack("1", 0), seen("1", 0), drained(1)];
  assert.deepEqual(broken([...before, answer(["1"]), answer(["1", "1"])]), []);
  assert.deepEqual(broken([...before, answer([])]), ["found-by-key"]);
  assert.deepEqual(broken([...before, answer([], { complete: false })]), []);
  assert.deepEqual(broken([...before, answer(["1", "2"])]), ["found-by-key"]);
  assert.deepEqual(broken([...before, answer(["1"], { intact: false })]), ["found-by-key"]);
  const lost = [send("1"), ack("1", 0), cacheLost, answer([]), drained(0)];
  assert.deepEqual(broken(lost, ASYNC), []);
  const late = { ...answer([]), sinceMs: 0 } as HistoryEvent;
  assert.deepEqual(broken([...before, late]), [], "it was asked before the acknowledgement");
});

test("a committed offset beyond the end of its queue would skip what comes next", () => {
  const offsetAndEnd = (offset: number): HistoryEvent => ({
    kind: "offset-and-end",
    ...at(),
    group: "g",
    queue: QUEUE,
    offset,
    end: 3,
  });
  assert.deepEqual(broken([offsetAndEnd(3), offsetAndEnd(4)], ASYNC), ["commit-within"]);
});

test("what is sent back is retried as agreed and then a dead letter", () => {
  const returned = (step: "asked" | "acknowledged" | "retried" | "dead", times = 0): HistoryEvent => ({
    kind: "returned",
    ...at(),
    step,
    id: "1",
    broker: "a",
    times,
  });
  const options = { ...SYNC, retries: 2 };
  const asked = [returned("asked"), returned("acknowledged")];
  const whole = [
    ...asked,
    returned("retried", 1),
    returned("retried", 1),
    returned("retried", 2),
    returned("dead", 3),
  ];
  assert.deepEqual(broken(whole, options), []);
  assert.deepEqual(broken(asked, options), ["dead-letters"], "it is lost");
  assert.deepEqual(broken([returned("asked")], options), [], "it was never promised");
  assert.deepEqual(broken([...asked, returned("retried", 1), returned("dead", 3)], options), [
    "dead-letters",
  ]);
  assert.deepEqual(broken([...whole, returned("dead", 2)], options), ["dead-letters"]);
  assert.deepEqual(broken([...whole, returned("retried", 3)], options), ["dead-letters"]);
  assert.deepEqual(broken(whole.slice(2), options), ["dead-letters"], "nobody sent it back");
  assert.deepEqual(
    broken([cacheLost, ...whole.slice(2)], { ...options, flush: "ASYNC_FLUSH" }),
    ["dead-letters"],
    "another lay there once, which was sent back",
  );
});

const IN_ORDER: CheckOptions = { ...GROUP, ordered: ["g"] };
const listening = (id: string, offset: number, by = "m"): HistoryEvent => ({
  kind: "listening",
  ...at(),
  group: "g",
  by,
  queue: QUEUE,
  offset,
  id,
});
const sentBack = (id: string, offset: number, times: number): HistoryEvent => ({
  kind: "sent-back",
  ...at(),
  group: "g",
  queue: QUEUE,
  offset,
  id,
  times,
});
const deadLetter = (id: string): HistoryEvent => ({
  kind: "dead-letter",
  ...at(),
  group: "g",
  broker: "a",
  id,
});

test("of a group in order one listener at a time works on a queue, whichever process runs it", () => {
  const first = [listening("1", 0, "m"), listening("2", 0, "n")];
  assert.deepEqual(broken(first, IN_ORDER), ["one-at-a-time"]);
  assert.deepEqual(broken(first, GROUP), [], "a group without order may");
  const one = [listening("1", 0), listened("1", 0), listening("2", 1)];
  assert.deepEqual(broken(one, IN_ORDER), []);
  const ended: HistoryEvent[] = [
    listening("1", 0, "m"),
    { kind: "member-ended", ...at(), by: "m" },
    listening("1", 0, "n"),
  ];
  assert.deepEqual(broken(ended, IN_ORDER), [], "a listener ends with its process");
});

test("a group in order begins with a message after all before it are done", () => {
  const skips = [listening("1", 0), listened("1", 0), listening("3", 2)];
  assert.deepEqual(broken(skips, IN_ORDER), ["in-order"]);
  const failed = [listening("1", 0), listened("1", 0, false), listening("2", 1)];
  assert.deepEqual(broken(failed, IN_ORDER), ["in-order"]);
  const givenUp = [listening("1", 0), listened("1", 0, false), sentBack("1", 0, 0), listening("2", 1)];
  assert.deepEqual(broken(givenUp, IN_ORDER), []);
  const again = [listening("1", 0), listened("1", 0), listening("1", 0)];
  assert.deepEqual(broken(again, IN_ORDER), [], "once more is no harm");
});

test("a message is a dead letter when its last attempt has failed, and not before", () => {
  const twice: CheckOptions = { ...GROUP, attempts: 1 };
  const history = [
    send("1"),
    ack("1", 0),
    seen("1", 0),
    drained(1),
    listening("1", 0),
    listened("1", 0, false),
  ];
  const early = [...history, deadLetter("1")];
  assert.deepEqual(broken(early, twice), ["dead-letters"]);
  const last = [...history, listening("1", 0), listened("1", 0, false), sentBack("1", 0, 1)];
  assert.deepEqual(broken([...last, deadLetter("1")], twice), []);
  assert.deepEqual(broken(last, twice), ["consumed", "dead-letters"], "it may not vanish instead");
  const expired: HistoryEvent = { kind: "removed", atMs: 900_000, queue: "%DLQ%g@b:0", from: 0, to: 1 };
  assert.deepEqual(broken([...last, expired], { ...twice, reservedMs: 0 }), [], "but expire like any other");
  const again = [...history, sentBack("1", 0, 0)];
  assert.deepEqual(broken(again, twice), ["consumed"], "nor what comes again");
  const retry: HistoryEvent = { ...expired, queue: "%RETRY%g@b:0" };
  assert.deepEqual(broken([...again, retry], { ...twice, reservedMs: 0 }), [], "that may expire, too");
  assert.deepEqual(broken([...again, expired], { ...twice, reservedMs: 0 }), ["consumed"]);
  assert.deepEqual(
    broken([{ ...retry, atMs: 0 }, ...again], { ...twice, reservedMs: 0 }),
    ["consumed"],
    "but not before",
  );
  const once = [...last, listening("1", 0), deadLetter("1")];
  assert.deepEqual(broken(once, { ...twice, exactAttempts: true }), ["dead-letters"], "nor have one more");
});

const popped = (id: string, askedMs: number, invisibleMs: number, atMs = askedMs + 1): HistoryEvent => ({
  kind: "popped",
  atMs,
  group: "p",
  broker: "a",
  id,
  askedMs,
  invisibleMs,
});
const popAcknowledged = (id: string, atMs: number): HistoryEvent => ({
  kind: "pop-acknowledged",
  atMs,
  group: "p",
  broker: "a",
  id,
});
const popChanged = (id: string, askedMs: number, invisibleMs: number): HistoryEvent => ({
  kind: "pop-changed",
  atMs: askedMs + 1,
  group: "p",
  broker: "a",
  id,
  askedMs,
  invisibleMs,
});
const brokerEnded = (atMs: number): HistoryEvent => ({ kind: "broker-ended", atMs, broker: "a" });
const sentAt = (id: string, atMs: number): HistoryEvent => ({ ...send(id), atMs });

test("a popped message comes again when its time is over, and not before", () => {
  const sent = sentAt("1", 10_000);
  const early = [sent, popped("1", 20_000, 3_000), popped("1", 22_998, 3_000)];
  assert.deepEqual(broken(early), ["invisible"]);
  assert.deepEqual(broken([sent, popped("1", 20_000, 3_000), popped("1", 23_000, 3_000)]), []);
  const later = [
    sent,
    popped("1", 20_000, 3_000),
    popChanged("1", 22_000, 5_000),
    popped("1", 26_000, 3_000),
  ];
  assert.deepEqual(broken(later), ["invisible"], "its time was made longer");
  const unknown = [sent, popped("1", 20_000, 3_000), popChanged("1", 21_000, 0), popped("1", 21_500, 3_000)];
  assert.deepEqual(broken(unknown), [], "nobody knows whether it was changed");
});

test("a popped message never comes again when it was acknowledged in time", () => {
  const sent = sentAt("1", 10_000);
  const done = [sent, popped("1", 20_000, 3_000), popAcknowledged("1", 21_000)];
  assert.deepEqual(broken([...done, popped("1", 90_000, 3_000)]), ["invisible"]);
  const late = [sent, popped("1", 20_000, 3_000), popAcknowledged("1", 24_000), popped("1", 90_000, 3_000)];
  assert.deepEqual(broken(late), [], "it was about to come again already");
});

test("an answer to a pop may be on its way for longer than its messages are hidden", () => {
  const sent = sentAt("1", 10_000);
  const another = [sent, popped("1", 21_000, 5_000), popAcknowledged("1", 21_500)];
  assert.deepEqual(broken([...another, popped("1", 20_000, 1_001, 22_000)]), []);
  const early = [...another, popped("1", 20_000, 1_002, 22_000)];
  assert.deepEqual(broken(early), ["invisible"], "the other got it before its time was over");
  const hidden = [...another, popped("1", 20_000, 1_001, 22_000), popped("1", 30_000, 3_000)];
  assert.deepEqual(broken(hidden), ["invisible"], "and the other's acknowledgement counts");
});

test("what a broker had given away when it ended may come twice, and nothing else", () => {
  const sent = sentAt("1", 10_000);
  const before = [sent, popped("1", 20_000, 3_000), brokerEnded(21_000), popped("1", 21_500, 3_000)];
  assert.deepEqual(broken(before), []);
  const soon = [sent, popped("1", 20_000, 3_000), popAcknowledged("1", 21_000), brokerEnded(22_000)];
  assert.deepEqual(broken([...soon, popped("1", 23_000, 3_000)]), []);
  const kept = [sent, popped("1", 20_000, 3_000), popAcknowledged("1", 21_000), brokerEnded(60_000)];
  assert.deepEqual(broken([...kept, popped("1", 61_000, 3_000)]), ["invisible"], "that was written long ago");
  const unseen = [sent, brokerEnded(15_000), popped("1", 20_000, 3_000), popped("1", 20_500, 3_000)];
  assert.deepEqual(broken(unseen), [], "somebody may have popped it before");
});

test("a group that was set back gets again what it had acknowledged", () => {
  const done = [sentAt("1", 10_000), popped("1", 20_000, 3_000), popAcknowledged("1", 21_000)];
  const reset: HistoryEvent = { kind: "pop-reset", atMs: 30_000, group: "p" };
  assert.deepEqual(broken([...done, reset, popped("1", 31_000, 3_000)]), []);
  const other: HistoryEvent = { kind: "pop-reset", atMs: 30_000, group: "q" };
  assert.deepEqual(broken([...done, other, popped("1", 31_000, 3_000)]), ["invisible"]);
  const again = [popped("1", 31_000, 3_000), popped("1", 31_500, 3_000)];
  assert.deepEqual(broken([sentAt("1", 10_000), reset, ...again]), [], "somebody may have popped it before");
  assert.deepEqual(broken([sentAt("1", 30_500), reset, ...again]), ["invisible"]);
});

test("who pops in order gets the same again for the same attempt", () => {
  const repeated = (missing: string | undefined): HistoryEvent => ({
    kind: "attempt-repeated",
    ...at(),
    group: "p",
    broker: "a",
    attemptId: "x",
    missing,
  });
  assert.deepEqual(broken([repeated(undefined)]), []);
  assert.deepEqual(broken([repeated("1")]), ["attempts"]);
});
