/**
 * Which address clients are told, and who will not be able to use it. RocketMQ registers the first address it
 * finds and leaves the user to wonder why a client outside a container hangs; here the choice is said at start.
 */
export interface Advertisement {
  /** What is registered with the NameServers, without the port. */
  readonly host: string;
  /** How it came about, for the banner: "as asked", "the address listened on", … */
  readonly because: string;
  /** What somebody will run into; empty when all is well. */
  readonly warnings: readonly string[];
}

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127\./.test(host) || /^::ffff:127\./i.test(host);

export const isUnspecified = (host: string): boolean =>
  host === "0.0.0.0" || host === "::" || host === "[::]";

const isNumeric = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(":");

/**
 * `bind`: the address listened on. `advertise`: --advertise, or empty. `localAddresses`: this machine's,
 * non-loopback first.
 */
export function chooseAdvertisement(
  bind: string,
  advertise: string,
  localAddresses: readonly string[],
): Advertisement {
  const exposed = isLoopback(bind)
    ? []
    : [
        `listening on ${bind}, beyond this machine, without access control: whoever reaches the port may read and write`,
      ];
  if (advertise !== "") {
    const warnings = [...exposed];
    if (isUnspecified(advertise))
      warnings.push(`clients will be told ${advertise}, which is no address anybody can connect to`);
    else if (isLoopback(advertise) && !isLoopback(bind))
      warnings.push(`clients on other machines will be told ${advertise}, which is themselves`);
    else if (isLoopback(bind) && !isLoopback(advertise))
      warnings.push(
        `clients will be told ${advertise}, but only this machine can reach ${bind}; add --host 0.0.0.0`,
      );
    else if (isNumeric(advertise) && !isUnspecified(bind) && advertise !== bind)
      warnings.push(
        `clients will be told ${advertise}, which is not the address listened on (${bind}): right behind NAT, wrong otherwise`,
      );
    return { host: advertise, because: "--advertise", warnings };
  }
  if (!isUnspecified(bind)) {
    const warnings = isLoopback(bind)
      ? ["only clients on this machine can reach it; --host 0.0.0.0 --advertise NAME lets others in"]
      : exposed;
    return { host: bind, because: "the address listened on", warnings };
  }
  const wantsV4 = bind === "0.0.0.0";
  const candidates = localAddresses.filter((address) => !isLoopback(address));
  const first = candidates.find((address) => !wantsV4 || !address.includes(":"));
  if (first === undefined)
    return {
      host: "127.0.0.1",
      because: "this machine has no other address",
      warnings: [
        ...exposed,
        "clients on other machines cannot reach 127.0.0.1; name an address with --advertise",
      ],
    };
  return {
    host: first,
    because: "the first non-loopback address",
    warnings: [
      ...exposed,
      `clients will be told ${first}, the first address of this machine; behind NAT or in a container name another with --advertise`,
    ],
  };
}

/** `host:port`, an IPv6 address in brackets. */
export function joinAddress(host: string, port: number): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}
