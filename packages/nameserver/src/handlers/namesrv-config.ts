/**
 * UPDATE_NAMESRV_CONFIG (318) and GET_NAMESRV_CONFIG (319). A change is all or nothing, kept before it counts, and answered
 * when it counts: 29 names what cannot be changed, and why; 16 for what nobody may change; 1 when it cannot be kept.
 */
import { Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { ConfigurationPort } from "../configuration-port.ts";

export interface NamesrvConfigNeeds {
  readonly options: { readonly configuration?: ConfigurationPort | undefined };
}

export function updateNamesrvConfig({ options }: NamesrvConfigNeeds): RequestHandler {
  return (request, exchange) => {
    const configuration = known(options.configuration);
    const problem =
      request.body.length === 0 ? undefined : configuration.update(request.body, exchange.peer.address);
    exchange.reply(problem ?? { code: ResponseCode.SUCCESS });
  };
}

export function getNamesrvConfig({ options }: NamesrvConfigNeeds): RequestHandler {
  return (_request, exchange) => {
    const configuration = known(options.configuration);
    exchange.reply({
      code: ResponseCode.SUCCESS,
      body: [Buffer.from(configuration.text())],
    });
  };
}

function known(configuration: ConfigurationPort | undefined): ConfigurationPort {
  if (configuration !== undefined) return configuration;
  const remark = "not supported: this NameServer was not started from a configuration";
  throw new Refusal(ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark);
}
