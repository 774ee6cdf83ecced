import type { MessengerNumber } from "../ports/messenger.ts";

/** What is kept of a number, as Meta says it. */
export function numberColumns(number: MessengerNumber) {
  return {
    display_phone_number: number.displayPhoneNumber,
    phone: e164Of(number),
    verified_name: number.verifiedName,
    name_status: number.nameStatus,
    quality_rating: number.qualityRating,
    throughput: number.throughput,
  };
}

/** Meta writes numbers with their country code, and with or without anything between the digits. */
export function e164Of(number: Pick<MessengerNumber, "displayPhoneNumber">): string {
  return `+${number.displayPhoneNumber.replace(/\D/g, "")}`;
}

/** It can send and receive: registering it once more would do nothing but use up a try. */
export function isRegistered(number: MessengerNumber): boolean {
  return number.status === "CONNECTED" && number.platformType === "CLOUD_API";
}
