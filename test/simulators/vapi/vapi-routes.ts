import type { z } from "zod";
import type { Route, SimulatorAnswer, SimulatorRequest } from "../simulator.ts";
import { failure, isAnswer, keyed, listOf, readBody } from "./vapi-answers.ts";
import { CreateAssistant, CreatePhoneNumber, UpdateAssistant, UpdatePhoneNumber } from "./vapi-schemas.ts";
import { masked, newRecord, type VapiAssistant, type VapiPhoneNumber, type VapiState } from "./vapi-state.ts";

const ID = "(?<id>[0-9a-f-]{36})";

/** `/assistant`, `/phone-number` and `GET /call/:id`. */
export function vapiRoutes(state: VapiState): Route[] {
  const routes: Route[] = [
    { method: "POST", path: /^\/assistant$/, handle: (request) => createAssistant(state, request) },
    {
      method: "GET",
      path: /^\/assistant$/,
      handle: (request) => listOf(state.assistants.map(showAssistant), request),
    },
    {
      method: "GET",
      path: one("assistant"),
      handle: (request) => withOne(state.assistants, request, (it) => ok(showAssistant(it))),
    },
    {
      method: "PATCH",
      path: one("assistant"),
      handle: (request) => withOne(state.assistants, request, (it) => updateAssistant(it, request)),
    },
    {
      method: "DELETE",
      path: one("assistant"),
      handle: (request) =>
        withOne(state.assistants, request, (it) => {
          state.assistants = state.assistants.filter((other) => other !== it);
          return ok(showAssistant(it));
        }),
    },
    { method: "POST", path: /^\/phone-number$/, handle: (request) => createNumber(state, request) },
    { method: "GET", path: /^\/phone-number$/, handle: (request) => listOf(state.numbers, request) },
    {
      method: "GET",
      path: one("phone-number"),
      handle: (request) => withOne(state.numbers, request, ok),
    },
    {
      method: "PATCH",
      path: one("phone-number"),
      handle: (request) => withOne(state.numbers, request, (it) => updateNumber(state, it, request)),
    },
    {
      method: "DELETE",
      path: one("phone-number"),
      handle: (request) =>
        withOne(state.numbers, request, (it) => {
          state.numbers = state.numbers.filter((other) => other !== it);
          return ok(it);
        }),
    },
    {
      method: "GET",
      path: one("call"),
      handle: ({ params }) => {
        const call = state.calls.get(params.id ?? "");
        return call === undefined ? failure(404, `Couldn't Find Call With ID ${params.id}`) : ok(call);
      },
    },
  ];
  return routes.map((route) => keyed(state.apiKey, route));
}

async function createAssistant(state: VapiState, request: SimulatorRequest): Promise<SimulatorAnswer> {
  const sent = readBody(CreateAssistant, request);
  if (isAnswer(sent)) return sent;
  const made: VapiAssistant = { ...sent, ...newRecord(state) };
  state.assistants.push(made);
  await state.afterCreate();
  return { status: 201, body: showAssistant(made) };
}

/** What is not sent stays; what is sent replaces the whole field. */
function updateAssistant(assistant: VapiAssistant, request: SimulatorRequest): SimulatorAnswer {
  const sent = readBody(UpdateAssistant, request);
  if (isAnswer(sent)) return sent;
  Object.assign(assistant, sent, { updatedAt: new Date().toISOString() });
  return ok(showAssistant(assistant));
}

function createNumber(state: VapiState, request: SimulatorRequest): SimulatorAnswer {
  const sent = readBody(CreatePhoneNumber, request);
  if (isAnswer(sent)) return sent;
  const unfit = checkAssistant(state, sent);
  if (unfit !== undefined) return unfit;
  const record = { ...newRecord(state), status: "active" as const };
  const { name, assistantId } = sent;
  if (sent.provider === "vapi") {
    const number = `+1${sent.numberDesiredAreaCode ?? "415"}${String(state.numbers.length).padStart(7, "5")}`;
    const made: VapiPhoneNumber = { ...record, provider: "vapi", number, name, assistantId };
    state.numbers.push(made);
    return { status: 201, body: made };
  }
  const { number, twilioAccountSid, twilioAuthToken, smsEnabled = true } = sent;
  if (twilioAuthToken === undefined || state.twilioAccounts.get(twilioAccountSid) !== twilioAuthToken)
    return failure(
      400,
      `Couldn't import ${number}: Twilio refused ${twilioAccountSid} (${twilioAuthToken}).`,
    );
  if (state.numbers.some((other) => other.number === number))
    return failure(400, `Existing Phone Number has identical twilioAccountSid and number ${number}.`);
  const made: VapiPhoneNumber = {
    ...record,
    provider: "twilio",
    number,
    name,
    assistantId,
    twilioAccountSid,
    smsEnabled,
  };
  state.numbers.push(made);
  return { status: 201, body: made };
}

function updateNumber(state: VapiState, number: VapiPhoneNumber, request: SimulatorRequest): SimulatorAnswer {
  const sent = readBody(UpdatePhoneNumber, request);
  if (isAnswer(sent)) return sent;
  if (sent.provider !== number.provider)
    return failure(400, `Can't change the provider of ${number.number} from ${number.provider}.`);
  const unfit = checkAssistant(state, sent);
  if (unfit !== undefined) return unfit;
  Object.assign(number, sent, { updatedAt: new Date().toISOString() });
  return ok(number);
}

function checkAssistant(
  state: VapiState,
  { assistantId }: Pick<z.output<typeof UpdatePhoneNumber>, "assistantId">,
): SimulatorAnswer | undefined {
  if (assistantId == null || state.assistants.some(({ id }) => id === assistantId)) return undefined;
  return failure(400, `Couldn't Find Assistant. assistantId ${assistantId} does not exist.`);
}

function withOne<Item extends { id: string }>(
  items: readonly Item[],
  { params, path }: SimulatorRequest,
  use: (item: Item) => SimulatorAnswer,
): SimulatorAnswer {
  const item = items.find(({ id }) => id === params.id);
  return item === undefined ? failure(404, `Couldn't find ${path.slice(1).replace("/", " ")}`) : use(item);
}

/** Credentials are not shown again. */
function showAssistant({ credentials, ...shown }: VapiAssistant) {
  return {
    ...shown,
    ...(credentials === undefined
      ? {}
      : { credentials: credentials.map(({ apiKey, ...rest }) => ({ ...rest, apiKey: masked(apiKey) })) }),
  };
}

function one(kind: string): RegExp {
  return new RegExp(`^/${kind}/${ID}$`);
}

function ok(body: object): SimulatorAnswer {
  return { status: 200, body };
}
