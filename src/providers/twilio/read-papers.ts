import { z } from "zod";
import type { NumberPapers } from "../../ports/carrier.ts";

const endUser = z.object({ requirement_name: z.string().nullish(), name: z.string() });
const accepted = z.object({ name: z.string() });
const supporting = z.object({
  requirement_name: z.string().nullish(),
  name: z.string(),
  accepted_documents: z.array(accepted).default([]),
});

/** Each inner list holds documents of which one is enough; Twilio nests them one deeper than it needs. */
const regulation = z.object({
  friendly_name: z.string(),
  requirements: z
    .object({
      end_user: z.array(endUser).default([]),
      supporting_document: z.array(z.array(supporting)).default([]),
    })
    .nullish(),
});
export const regulations = z.object({ results: z.array(regulation) });

/** What a regulation wants, in Twilio's own names of it. */
export function readPapers({ friendly_name, requirements }: z.output<typeof regulation>): NumberPapers {
  const users = requirements?.end_user.map(({ name, requirement_name: key }) => key || name) ?? [];
  const documents =
    requirements?.supporting_document.map((group) =>
      group
        .map(({ name, accepted_documents: names }) => {
          const any = names.map((document) => document.name).join(", or ");
          return any === "" ? name : `${name} (${any})`;
        })
        .join(", or "),
    ) ?? [];
  return { regulation: friendly_name, documents: [...users, ...documents] };
}
