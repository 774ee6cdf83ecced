export interface IdempotencyTables {
  idempotency_keys: {
    partner_id: string;
    account_id: string | null;
    caller: string;
    key: string;
    request_hash: Buffer;
    attempt: string;
    leased_until: Date;
    status: number | null;
    result: unknown;
    created_at: Date;
  };
}
