import { z } from "zod";
import type { MetaSimulator } from "../simulators/meta/meta.ts";

const errorSchema = z.object({ error: z.looseObject({ code: z.number() }) });

/** Raw calls of Graph, as wrong as a test wants them. */
export interface GraphCaller {
  get(path: string, token: string): Promise<Response>;
  post(path: string, token: string, json?: object): Promise<Response>;
  /** The error with the answer's HTTP status. */
  errorOf(method: string, path: string, token: string, json?: object): Promise<object>;
}

export function graphCaller({ url }: Pick<MetaSimulator, "url">): GraphCaller {
  const call = (method: string, path: string, token: string, json?: object): Promise<Response> =>
    fetch(`${url}/v25.0/${path}`, {
      method,
      headers: {
        ...(token !== "" && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { "content-type": "application/json" }),
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
  return {
    get: (path, token) => call("GET", path, token),
    post: (path, token, json) => call("POST", path, token, json),
    async errorOf(method, path, token, json) {
      const answer = await call(method, path, token, json);
      const { error } = errorSchema.parse(await answer.json());
      return { status: answer.status, ...error };
    },
  };
}
