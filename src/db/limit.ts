/** Lets so many in at once; the others wait, in the order they came. */
export interface Limit {
  /** Resolves to the function that lets the next one in. */
  enter(): Promise<() => void>;
}

export function createLimit(max: number): Limit {
  const waiting: (() => void)[] = [];
  let inside = 0;

  function leaving(): () => void {
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      const next = waiting.shift();
      // Whoever comes next takes the place over: it is never free in between.
      if (next === undefined) inside -= 1;
      else next();
    };
  }

  return {
    async enter() {
      if (inside < max) inside += 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return leaving();
    },
  };
}
