/** What the workspace knows about a document; may change without its segment changing. */
export type DocumentAttributes = {
  documentId: string;
  folder: string;
  docpath: string;
  /** ISO 639-1, null when unknown. */
  language: string | null;
  metadata: Record<string, string | number | boolean | null>;
};

/** All given conditions must hold; an empty list lets nothing through. */
export type SearchFilter = {
  documentIds?: string[];
  docpaths?: string[];
  folders?: string[];
  languages?: string[];
  /** Each named field must have exactly this value. */
  metadata?: Record<string, string | number | boolean | null>;
};

export type Predicate = (document: DocumentAttributes) => boolean;

/** Compiles a filter, so that a long list of docpaths is not searched once per document. Null lets everything through. */
export function compileFilter(filter: SearchFilter | undefined): Predicate | null {
  const tests: Predicate[] = [];
  const oneOf = (list: string[] | undefined, field: (document: DocumentAttributes) => string | null) => {
    if (!list) return;
    const allowed = new Set<string | null>(list);
    tests.push((document) => allowed.has(field(document)));
  };
  oneOf(filter?.documentIds, (document) => document.documentId);
  oneOf(filter?.docpaths, (document) => document.docpath);
  oneOf(filter?.folders, (document) => document.folder);
  oneOf(filter?.languages, (document) => document.language);
  for (const [name, value] of Object.entries(filter?.metadata ?? {})) {
    tests.push(({ metadata }) => Object.hasOwn(metadata, name) && metadata[name] === value);
  }
  return tests.length === 0 ? null : (document) => tests.every((test) => test(document));
}
