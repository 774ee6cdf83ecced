import { parseArgs } from "node:util";
import { startServer } from "../bench/support.ts";
import { testDatabase } from "../test/support.ts";
import { isRefusal, judgeQuestion, type Mark, REFUSAL } from "./judge.ts";
import { connect, type Platform } from "./platform.ts";
import { ANSWERABLE, CROSS_LANGUAGE, NEAR_TOPIC, OFF_TOPIC, type Question } from "./questions.ts";
import { startReadingModel } from "./reading-model.ts";
import {
  figuresOf,
  LIMITS,
  printLimits,
  printMarks,
  printMisses,
  printRefusals,
  printUnsupported,
  type Refusals,
} from "./report.ts";

/**
 * `npm run eval` asks a freshly started server about the examples and prints how well it found, cited and refused:
 * without a model; with `--stub` through a simulated model that reads its prompt; with a real one when `LLM_…` name
 * one. `--answers` prints the answers that are not right. Ends with 1 when a figure is below its limit.
 */
const { values } = parseArgs({
  options: { stub: { type: "boolean", default: false }, answers: { type: "boolean", default: false } },
});
const EXAMPLES = new URL("../examples/", import.meta.url);

const model = values.stub ? await startReadingModel() : null;
const environment = { ...(await testDatabase()), PORT: "0", LOG_LEVEL: "error", ...model?.settings };
const server = await startServer(environment);
try {
  if (!(await evaluate(connect(server.bootstrap)))) process.exitCode = 1;
} finally {
  await server.stop();
  await model?.close();
}

async function evaluate(platform: Platform): Promise<boolean> {
  const files = [...new Set(ANSWERABLE.map(({ file }) => file))];
  const documents = await platform.upload(files.map((file) => new URL(file, EXAMPLES)));
  await platform.change({ queryRefusalResponse: REFUSAL });
  const judgeAll = async (questions: readonly Question[]): Promise<Mark[]> => {
    const marks: Mark[] = [];
    for (const question of questions) marks.push(await judgeQuestion(platform, documents, question));
    return marks;
  };
  const marks = await judgeAll(ANSWERABLE);
  const abroad = await judgeAll(CROSS_LANGUAGE);
  const [offTopic, nearTopic] = [await askAll(platform, OFF_TOPIC), await askAll(platform, NEAR_TOPIC)];
  console.log(`Answers: ${describeMode()}. Search: ${await platform.searchMode()}.`);
  printMarks("Asked in the language of the document", marks);
  printMarks("Asked in another language (for information)", abroad);
  printRefusals(offTopic, nearTopic, marks);
  printMisses(marks, values.answers);
  if (values.answers) printUnsupported(marks);
  return printLimits(figuresOf(marks, offTopic), LIMITS[mode()]);
}

async function askAll(platform: Platform, questions: readonly string[]): Promise<Refusals> {
  let refused = 0;
  for (const question of questions) if (isRefusal(await platform.ask(question))) refused += 1;
  return { asked: questions.length, refused };
}

function mode(): "extractive" | "stub" | "model" {
  if (values.stub) return "stub";
  return ["", "none", undefined].includes(process.env.LLM_PROVIDER) ? "extractive" : "model";
}

function describeMode(): string {
  const { LLM_MODEL = "" } = process.env;
  return { extractive: "quoted, no model", stub: "from a simulated model", model: LLM_MODEL }[mode()];
}
