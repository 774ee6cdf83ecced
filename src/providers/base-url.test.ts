import { expect, test } from "vitest";
import { endpointUrl } from "./base-url.ts";

test.each([
  ["http://localhost:8080", "http://localhost:8080/v1/embeddings"],
  ["http://localhost:8080/", "http://localhost:8080/v1/embeddings"],
  ["https://api.openai.com/v1", "https://api.openai.com/v1/embeddings"],
  ["https://api.openai.com/v1/", "https://api.openai.com/v1/embeddings"],
  [
    "https://x.example/openai/v1?api-version=preview",
    "https://x.example/openai/v1/embeddings?api-version=preview",
  ],
])("the base URL %s leads to %s", (baseUrl, expected) => {
  expect(endpointUrl(baseUrl, "v1", "embeddings")).toBe(expected);
});
