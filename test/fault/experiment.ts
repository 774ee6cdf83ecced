/** Breaks something on purpose, again and again, and looks whether what was promised still holds. */
export interface Experiment {
  about: string;
  rounds: number;
  run(options: { settings: Record<string, string>; rounds: number; progress: Progress }): Promise<Outcome>;
}

export type Progress = (line: string) => void;

export interface Outcome {
  /** What was done and measured, for the table at the end. */
  figures: Record<string, number>;
  /** Every promise that was broken, in a sentence. Empty: all held. */
  violations: string[];
}
