/** The flags of every command that talks to NameServers and brokers. */
import type { Command } from "commander";

export interface ClientFlags {
  readonly namesrv?: string;
  readonly json?: boolean;
}

export const withClientFlags = (command: Command): Command =>
  command
    .option(
      "-n, --namesrv <addrs>",
      "NameServers, host:port;host:port (default $NAMESRV_ADDR, then 127.0.0.1:9876)",
    )
    .option("--json", "print JSON, one object per line");
