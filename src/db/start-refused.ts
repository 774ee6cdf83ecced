/** The database must not, or cannot, be used as it is; `message` is one sentence or two for the operator. */
export class StartRefused extends Error {
  override name = "StartRefused";
}
