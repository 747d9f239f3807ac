/** What a program needs of the machine; the rest of our environment is Vitest's (`NODE_ENV=test`, `PORT`, …). */
const KEPT = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TMPDIR',
  'TEMP',
  'TMP',
  'SystemRoot',
  'APPDATA',
  'LOCALAPPDATA',
];

/** The environment that a person's shell would give. */
export function cleanEnv(extra: Record<string, string> = {}): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(kept), MEDUSA_DISABLE_TELEMETRY: 'true', NO_COLOR: '1', ...extra };
}
