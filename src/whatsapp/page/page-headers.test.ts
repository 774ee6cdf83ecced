import { expect, test } from "vitest";
import type { MetaConfig } from "../../config.ts";
import { newNonce, pageHeaders } from "./page-headers.ts";

const META: MetaConfig = {
  appId: "1",
  appSecret: "s",
  appSecretPrevious: undefined,
  configId: "2",
  webhookVerifyToken: "0123456789abcdef",
  graphBaseUrl: "https://graph.facebook.com",
  graphVersion: "v25.0",
  sdkUrl: "https://connect.facebook.net/en_US/sdk.js",
  dialogOrigins: undefined,
  signupExtras: { setup: {} },
};

test("with the usual settings the page talks to itself and to Meta, and one origin may frame it", () => {
  expect(policyOf(["https://app.example.com"], META)).toBe(
    "default-src 'none'; script-src 'nonce-n' https://connect.facebook.net; " +
      "connect-src 'self' https://*.facebook.com https://connect.facebook.net; " +
      "img-src 'self' data: https://*.facebook.com; style-src 'nonce-n'; frame-src https://*.facebook.com; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors https://app.example.com",
  );
});

test("a page that talks to nobody may reach nobody", () => {
  const policy = policyOf([], null);
  expect(policy).toContain("script-src 'nonce-n'; connect-src 'self';");
  expect(policy).toContain("frame-src 'none'");
  expect(policy).toMatch(/frame-ancestors 'none'$/);
});

test.each([
  "https://a.example; script-src *",
  "https://*.example.com",
  "*",
  "'self'",
  "https://a.example/path",
  "https://a.example\r\nx: y",
  "javascript:alert(1)",
  "https://A.example",
])("no list of origins gets anything else into the header (%j)", (origin) => {
  expect(policyOf([origin], META)).toMatch(/frame-ancestors 'none'$/);
  expect(policyOf([origin, "https://b.example:8443"], META)).toMatch(
    /frame-ancestors https:\/\/b\.example:8443$/,
  );
});

test("no nonce comes twice", () => {
  expect(new Set(Array.from({ length: 100 }, newNonce)).size).toBe(100);
});

function policyOf(framedBy: string[], meta: MetaConfig | null): string | undefined {
  return pageHeaders("n", framedBy, meta)["content-security-policy"];
}
