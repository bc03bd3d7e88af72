/** A NameServer as one process. */
import type { Logger } from "@orbitmq/host";
import type { SimHost, SimMachine } from "@orbitmq/host/sim";
import { NameServer } from "@orbitmq/nameserver";
import { type NodeContext, SimNode } from "./sim-node.ts";

export const NAMESRV_PORT = 9_876;

export class NameServerNode extends SimNode {
  readonly address: string;
  readonly #logger: Logger;
  #server: NameServer | undefined;

  constructor(context: NodeContext, machine: SimMachine, name: string, logger: Logger) {
    super(context, machine, name);
    this.#logger = logger;
    this.address = `${machine.address}:${NAMESRV_PORT}`;
  }

  protected async begin(host: SimHost): Promise<void> {
    this.#server = new NameServer(host, {}, this.#logger);
    await this.#server.start({ host: "0.0.0.0", port: NAMESRV_PORT });
  }

  protected async finish(): Promise<void> {
    await this.#server?.stop();
  }

  protected forget(): void {
    this.#server = undefined;
  }
}
