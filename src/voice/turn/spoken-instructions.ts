/** A model writes for the eye unless it is told who listens. */
export function spokenInstructions(greeting: string): string {
  const spoken =
    "This is a phone call: what you write is read out. Answer in one to three short sentences, in the caller's language. " +
    "No lists, tables, headings or links.";
  return greeting === "" ? spoken : `${spoken} You have greeted the caller with: ${JSON.stringify(greeting)}`;
}
