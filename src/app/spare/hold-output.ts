type Write = typeof process.stdout.write;

/**
 * Keeps back what is written to stdout: what packages say while they are loaded is no news until the process is used.
 * @returns how to release it
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
