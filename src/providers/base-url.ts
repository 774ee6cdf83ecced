/**
 * Joins a configured base URL and an endpoint. Operators paste base URLs with and without the version, so: a base that
 * ends in a version (`/v1`, `/v1beta`) or has any path of its own is taken as it is; a bare host gets `version`.
 */
export function endpointUrl(baseUrl: string, version: string, path: string): string {
  const base = new URL(baseUrl);
  const ownPath = base.pathname.replace(/\/+$/, "");
  const withVersion = ownPath === "" ? `/${version}` : ownPath;
  return `${base.origin}${withVersion}/${path}${base.search}`;
}

/** The same for who joins the endpoint itself: no slash at the end. */
export function apiBase(baseUrl: string, version: string): string {
  return endpointUrl(baseUrl, version, "").replace(/\/+$/, "");
}
