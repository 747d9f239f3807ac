/** Variables of the machine that a program needs; Vitest adds its own to the rest (`NODE_ENV=test`, `PORT`, …). */
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
