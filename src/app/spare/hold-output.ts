type Write = typeof process.stdout.write;

/**
 * Holds the output to stdout: the lines that packages print while they load are no news before the spare is the app.
 * @returns a function that releases it
 */
export function holdOutput(): () => void {
  const { stdout } = process;
  const write = stdout.write;
  const held: (string | Uint8Array)[] = [];
  stdout.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
    held.push(chunk);
    const done = rest.find((argument) => typeof argument === 'function');
    (done as (() => void) | undefined)?.();
    return true;
  }) as Write;
  return () => {
    stdout.write = write;
    for (const chunk of held) {
      stdout.write(chunk);
    }
  };
}
