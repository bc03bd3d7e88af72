/** Flags that commands for clients share: whom to ask, how to print, what to ask a person, and looking again. */
import { type Command, Option } from "commander";
import { duration } from "../../terminal.ts";

export interface ClientFlags {
  readonly namesrv?: string;
  readonly json?: boolean;
}

/** Which brokers. */
export interface TargetFlags extends ClientFlags {
  readonly cluster?: string;
  readonly broker?: string;
}

export interface WatchFlags {
  /** Milliseconds between turns; true: the default. */
  readonly watch?: number | true;
}

export interface YesFlags {
  readonly yes?: boolean;
}

export const withClientFlags = (command: Command): Command =>
  command
    .option(
      "-n, --namesrv <addrs>",
      "NameServers, host:port;host:port (default $NAMESRV_ADDR, then 127.0.0.1:9876)",
    )
    .option("--json", "print JSON, one object per line");

/** `none` says what no flag means. */
export const withTargetFlags = (command: Command, none: string): Command =>
  withClientFlags(command)
    .option("--cluster <name>", `every master of this cluster (default: ${none})`)
    .option("--broker <name>", "this broker only: its name, or host:port");

export const withWatchFlag = (command: Command): Command =>
  command.addOption(
    new Option("-w, --watch [time]", "look again every so many seconds (2), until SIGINT").argParser(
      duration("--watch"),
    ),
  );

export const withYesFlag = (command: Command): Command => command.option("-y, --yes", "do it without asking");
