declare global {
  var shopEvaluations: Record<string, number> | undefined;
}

// On globalThis, because the counts must outlive the modules that they count.
globalThis.shopEvaluations ??= {};
const evaluations = globalThis.shopEvaluations;

export function countEvaluation(file: string): void {
  evaluations[file] = (evaluations[file] ?? 0) + 1;
}

export function listEvaluations(): Record<string, number> {
  return Object.fromEntries(Object.entries(evaluations).sort(([a], [b]) => (a < b ? -1 : 1)));
}

countEvaluation('src/lib/evaluations.ts');
