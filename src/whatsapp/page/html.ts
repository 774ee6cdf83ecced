/** HTML whose every foreign part was escaped. */
export interface Html {
  html: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose values are escaped, for text and for quoted attributes; what is {@link Html} already goes in as it is. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const written = values.map((value) => {
    if (typeof value === "string") return escapeHtml(value);
    return "html" in value ? value.html : value.map((each) => each.html).join("");
  });
  return { html: String.raw({ raw: parts }, ...written) };
}

/** JSON for a `<script type="application/json">`, which nothing in it can close. */
export function jsonForScript(value: unknown): Html {
  return { html: JSON.stringify(value).replaceAll("<", "\\u003c") };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
