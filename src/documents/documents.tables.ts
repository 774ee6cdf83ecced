import type { Generated } from "kysely";

export interface DocumentTables {
  folders: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    name: string;
    created_at: Generated<Date>;
  };
  contents: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    id: string;
    sha256: string;
    format: string;
    size_bytes: number;
    mime: string;
    original_key: string;
    parsed_key: string | null;
    parsed_title: string | null;
    pages: number | null;
    language: string | null;
    words: number | null;
    tokens: number | null;
    created_at: Generated<Date>;
  };
  documents: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    id: string;
    folder: string;
    name: string;
    external_id: string | null;
    file_name: string;
    content_id: string | null;
    next_content_id: string | null;
    next_file_name: string | null;
    next_metadata: unknown;
    title: string;
    metadata: unknown;
    status: "processing" | "ready" | "failed";
    error: unknown;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  segments: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    id: string;
    content_id: string;
    recipe: string;
    maker: string;
    file_key: string;
    size_bytes: number;
    chunks: number;
    tokens: number;
    created_at: Generated<Date>;
  };
  workspace_documents: {
    partner_id: string;
    account_id: string;
    organization_id: number;
    workspace_id: number;
    document_id: string;
    segment_id: string | null;
    status: "embedding" | "embedded" | "failed";
    error: unknown;
    added_at: Generated<Date>;
  };
}
