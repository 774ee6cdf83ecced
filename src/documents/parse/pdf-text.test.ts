import { expect, test } from "vitest";
import { dropRunningLines, joinLines, splitPageLines } from "./pdf-text.ts";

test("full lines are joined, short ones end their paragraph", () => {
  const lines = splitPageLines(
    "The heron stands in the reeds and waits for\r\nthe fish.\r\nA new paragraph begins on this line and goes\r\non here.",
  );
  expect(joinLines(lines)).toEqual([
    "The heron stands in the reeds and waits for the fish.",
    "A new paragraph begins on this line and goes on here.",
  ]);
});

test("words broken at the end of a line are made whole", () => {
  expect(
    joinLines(splitPageLines("This is an exam-\nple of a hyphen and this is a long line of text")),
  ).toEqual(["This is an example of a hyphen and this is a long line of text"]);
  expect(splitPageLines("exam\u0002\r\nple")).toEqual(["example"]);
});

test("items of a list stay apart however long the line before is", () => {
  const lines = ["• one item that is as long as the line can possibly be", "• two items", "1. three"];
  expect(joinLines(lines)).toEqual(lines);
});

test("Chinese lines are joined without a space", () => {
  const line = "我们的商店每天早上九点开门晚上很晚才关门星期天休息请提前预约谢谢您";
  expect(joinLines([line, line])).toEqual([line + line]);
});

test("the dots of a table of contents shrink, and its lines stay apart", () => {
  const lines = splitPageLines(
    "2.8 Other types . . . . . . . . . . . 13\n3 Objects, their modes ........... 14",
  );
  expect(joinLines(lines)).toEqual(["2.8 Other types … 13", "3 Objects, their modes … 14"]);
});

test("lines with the page's number go, also when they differ from chapter to chapter", () => {
  const pages = Array.from({ length: 8 }, (_, index) => [
    `Chapter ${index < 4 ? 1 : 2}: ${index < 4 ? "Wind" : "Water"} ${index + 7}`,
    `In ${index * 13 + 1990} there was a year.`,
    `Draft, ${index + 7} of 90`,
  ]);
  expect(dropRunningLines(pages)).toEqual(pages.map((lines) => lines.slice(1, 2)));
});

test("lines that are alike but for numbers of their own stay", () => {
  const pages = Array.from({ length: 8 }, (_, index) => [
    `Invoice ${index + 1001}`,
    `Customer ${index * 17}`,
    "Total",
    `${index * 31} EUR`,
  ]);
  expect(dropRunningLines(pages)).toEqual(pages.map((lines) => lines));
});

test("a short document keeps every line", () => {
  const pages = [["Same"], ["Same"], ["Same"]];
  expect(dropRunningLines(pages)).toEqual(pages);
});
