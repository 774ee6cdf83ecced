import type { Route } from "../simulator.ts";
import type { CarrierState, Regulation } from "./carrier-state.ts";
import { endpoint, failure } from "./twilio-answers.ts";

const COMPLIANCE = "/v2/RegulatoryCompliance";

/** Regulations and bundles, which Twilio keeps on its host for numbers. */
export function complianceRoutes(state: CarrierState): Route[] {
  return [
    endpoint(state, {
      method: "GET",
      path: new RegExp(`^${COMPLIANCE}/Regulations$`),
      takes: ["IsoCountry", "NumberType", "EndUserType", "IncludeConstraints", "PageSize", "Page"],
      handle({ path, fields }) {
        const found = state.regulations.filter(
          ({ country, numberType, endUser }) =>
            (fields.get("IsoCountry") ?? country).toUpperCase() === country &&
            (fields.get("NumberType") ?? numberType) === numberType &&
            (fields.get("EndUserType") ?? endUser) === endUser,
        );
        return { status: 200, body: { results: found.map(showRegulation), meta: metaOf(path, "results") } };
      },
    }),
    endpoint(state, {
      method: "GET",
      path: new RegExp(`^${COMPLIANCE}/Bundles/(?<sid>BU[0-9a-fA-F]{32})$`),
      takes: [],
      handle({ path, params }) {
        const status = state.bundles.get(params.sid ?? "");
        if (status === undefined) return failure(404, 20404, `The requested resource ${path} was not found`);
        return { status: 200, body: showBundle(state, params.sid ?? "", status) };
      },
    }),
  ];
}

function showRegulation({ sid, friendlyName, country, numberType, endUser, documents }: Regulation): object {
  return {
    sid,
    friendly_name: friendlyName,
    iso_country: country,
    number_type: numberType,
    end_user_type: endUser,
    requirements: {
      end_user: [{ name: endUser === "business" ? "Business" : "Individual", type: endUser, fields: [] }],
      supporting_document: documents.map((group) =>
        group.map(({ name, accepted }) => ({
          name,
          type: "document",
          requirement_name: "proof",
          accepted_documents: accepted.map((document) => ({ name: document, type: "document", fields: [] })),
        })),
      ),
    },
    url: `https://numbers.twilio.com${COMPLIANCE}/Regulations/${sid}`,
  };
}

function showBundle(state: CarrierState, sid: string, status: string): object {
  return {
    sid,
    account_sid: state.accountSid,
    regulation_sid: null,
    friendly_name: "Papers",
    status,
    valid_until: null,
    email: "papers@example.com",
    status_callback: null,
    date_created: "2026-01-01T00:00:00Z",
    date_updated: "2026-01-01T00:00:00Z",
    url: `https://numbers.twilio.com${COMPLIANCE}/Bundles/${sid}`,
    links: {},
  };
}

function metaOf(path: string, key: string): object {
  return {
    page: 0,
    page_size: 50,
    first_page_url: `https://numbers.twilio.com${path}?PageSize=50&Page=0`,
    previous_page_url: null,
    url: `https://numbers.twilio.com${path}?PageSize=50&Page=0`,
    next_page_url: null,
    key,
  };
}
