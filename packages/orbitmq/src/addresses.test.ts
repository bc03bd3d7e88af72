import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseAdvertisement, joinAddress } from "./addresses.ts";

const machine = ["192.168.1.7", "fd00::7", "127.0.0.1", "::1"];

describe("the address clients are told", () => {
  it("is the loopback address by default, with a word on who cannot reach it", () => {
    const { host, warnings } = chooseAdvertisement("127.0.0.1", "", machine);
    assert.equal(host, "127.0.0.1");
    assert.match(warnings.join(), /only clients on this machine/);
  });

  it("is the name given, as given", () => {
    const { host, warnings } = chooseAdvertisement("0.0.0.0", "mq.example", machine);
    assert.equal(host, "mq.example");
    assert.deepEqual(warnings.length, 1);
    assert.match(warnings[0]!, /without access control/);
  });

  it("is the first non-loopback address when listening everywhere, and that is said", () => {
    const { host, because, warnings } = chooseAdvertisement("0.0.0.0", "", [
      "::1",
      "fd00::7",
      "10.0.0.5",
      "10.0.0.6",
    ]);
    assert.equal(host, "10.0.0.5");
    assert.match(because, /first non-loopback/);
    assert.match(warnings.join("\n"), /clients will be told 10\.0\.0\.5/);
    assert.equal(chooseAdvertisement("::", "", ["fd00::7", "10.0.0.5"]).host, "fd00::7");
  });

  it("falls back to loopback on a machine that has nothing else, and warns", () => {
    const { host, warnings } = chooseAdvertisement("0.0.0.0", "", ["127.0.0.1"]);
    assert.equal(host, "127.0.0.1");
    assert.match(warnings.join("\n"), /cannot reach 127\.0\.0\.1/);
  });

  it("warns when a name is announced and only loopback is listened on", () => {
    assert.match(
      chooseAdvertisement("127.0.0.1", "mq.example", machine).warnings.join(),
      /add --host 0\.0\.0\.0/,
    );
  });

  it("warns when loopback is announced to others", () => {
    assert.match(
      chooseAdvertisement("0.0.0.0", "localhost", machine).warnings.join("\n"),
      /which is themselves/,
    );
  });

  it("warns when an address nobody can connect to is announced", () => {
    assert.match(
      chooseAdvertisement("0.0.0.0", "0.0.0.0", machine).warnings.join("\n"),
      /no address anybody/,
    );
  });

  it("puts IPv6 addresses in brackets", () => {
    assert.equal(joinAddress("fd00::7", 1), "[fd00::7]:1");
    assert.equal(joinAddress("mq", 1), "mq:1");
  });
});
