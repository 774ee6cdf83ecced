import type { Generated } from "kysely";
import type { NumberType } from "../ports/carrier.ts";
import type { MovedBy, RequestStatus } from "./request-states.ts";

export interface NumberTables {
  number_requests: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    id: string;
    country: string;
    number_type: NumberType;
    area_code: string | null;
    quantity: number;
    notes: string | null;
    status: Generated<RequestStatus>;
    status_reason: string | null;
    provider_status: string | null;
    next_step: string | null;
    bundle_id: string | null;
    address_id: string | null;
    check_at: Date | null;
    erasing_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  number_request_moves: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    request_id: string;
    position: number;
    status: RequestStatus;
    moved_by: MovedBy;
    reason: string | null;
    moved_at: Generated<Date>;
  };
  numbers: {
    partner_id: string | null;
    account_id: string | null;
    organization_id: number | null;
    id: Generated<number>;
    request_id: string | null;
    number: string;
    country: string;
    number_type: NumberType;
    can_voice: boolean;
    can_sms: boolean;
    status: Generated<"active" | "releasing" | "released">;
    provider: NumberProvider;
    provider_id: string | null;
    provider_status: string | null;
    check_at: Date | null;
    leaving_at: Date | null;
    released_at: Date | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  number_orders: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    request_id: string;
    position: number;
    reference: string;
    provider: "twilio" | "telnyx";
    number: string;
    state: "asked" | "bought" | "refused";
    asked_at: Date;
    provider_id: string | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
}

/** `manual`: bought by hand somewhere, and released there by hand. */
export type NumberProvider = "manual" | "twilio" | "telnyx";
