import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { ViteDevServer } from 'vite';
import { isNeverSource } from '../project/layout.ts';
import { assertMedusaProject, listFiles } from '../project/project.ts';
import { describeReason } from '../protocol/reason.ts';
import { collectRules } from '../rules/collect-rules.ts';
import {
  type DecisionDescription,
  type Explanation,
  explain,
  type RuleDescription,
} from '../rules/explanation.ts';
import { createRuleSet, describeRule } from '../rules/rule-set.ts';
import { MedusaViteError } from '../shared/failure.ts';
import { isInside, relativeToRoot, toPosix } from '../shared/paths.ts';
import { type StaticLimit, StaticModules } from '../vite/static-modules.ts';
import { Transformer } from '../vite/transformer.ts';
import type { ExplainOptions } from './explain-options.ts';
import { createViteServer } from './vite-server.ts';

/** The output of `--json`. */
export interface ExplainedFile extends Explanation {
  /** Relative to the project, with forward slashes. */
  file: string;
  /** Files about which the running app may know more. */
  limits: StaticLimit[];
  /** Mistakes in the rules. */
  problems: string[];
}

/** `medusa-vite explain <file>`. @throws MedusaViteError */
export async function runExplain(options: ExplainOptions, folder: string): Promise<void> {
  const root = toPosix(folder);
  assertMedusaProject(root);
  const file = findFile(options.file, root);
  const explained = await explainFile(file, root);
  process.stdout.write(`${options.json ? JSON.stringify(explained) : toText(explained)}\n`);
}

async function explainFile(file: string, root: string): Promise<ExplainedFile> {
  const path = relativeToRoot(root, file);
  const vite = await startVite(root);
  try {
    const { rules, problems } = createRuleSet(collectRules(vite.config), root);
    if (isNeverSource(path)) {
      const folder = path.split('/')[0] ?? '';
      const reason = describeReason({ type: 'not-watched', folder });
      const nothing = { chain: [path], reloads: [], guards: [], decisions: [], notes: [] };
      return { file: path, result: 'ignore', reason, ...nothing, limits: [], problems };
    }
    const graph = await loadModules(vite, root);
    const explanation = explain({ file, change: 'update' }, { root, graph, rules });
    return { file: path, ...explanation, limits: graph.limits, problems };
  } finally {
    await vite.close();
  }
}

/** @throws MedusaViteError if the project's Vite config is wrong */
async function startVite(root: string): Promise<ViteDevServer> {
  try {
    return await createViteServer({ root, pollMs: undefined });
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new MedusaViteError(`Vite cannot start: ${stripVTControlCharacters(what).trim()}`, {
      code: 'BAD_VITE_CONFIG',
      cause,
    });
  }
}

async function loadModules(vite: ViteDevServer, root: string): Promise<StaticModules> {
  const modules = new StaticModules(new Transformer(vite, root));
  await modules.load(await listFiles(root));
  return modules;
}

/** @throws MedusaViteError if there is no such file in the project */
function findFile(given: string, root: string): string {
  const path = resolve(root, given);
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) {
    throw new MedusaViteError(`\`${given}\` does not exist.`, {
      code: 'NO_FILE',
      hint: 'Give the path of a file, relative to this folder.',
    });
  }
  const file = toPosix(realpathSync.native(path));
  if (!isInside(root, file)) {
    throw new MedusaViteError(`\`${given}\` is not a file of the project in \`${root}\`.`, {
      code: 'NO_FILE',
      hint: 'Run the command in the folder of the Medusa backend that has the file.',
    });
  }
  if (!status.isFile()) {
    throw new MedusaViteError(`\`${given}\` is a folder.`, {
      code: 'NO_FILE',
      hint: 'Give the path of a file in it.',
    });
  }
  return file;
}

function toText(explained: ExplainedFile): string {
  const { file, result, reason, decisions, guards, limits, problems } = explained;
  const why = reason === undefined || result === 'reload' ? '' : `: ${reason}`;
  const lines = [`${file}: ${OUTCOME[result]}${why}`];
  for (const [rule, decided] of groupByRule(decisions)) {
    const isGuard = result === 'reload' && decided[0]?.rule.action === 'restart';
    lines.push('', `  ${rule}${isGuard ? `, ${IF_DIFFERENT}` : ''}`);
    lines.push(...decided.flatMap(describeDecision));
  }
  if (decisions.length === 0 && result === 'restart') {
    lines.push('', '  by no rule', `    ${explained.chain.join(' -> ')}`);
  }
  const unruled = guards.filter(({ path }) =>
    decisions.every((decision) => decision.path !== path),
  );
  const guarded = unruled.map(({ path, imports }) => `${path}, which imports ${imports}`);
  lines.push(...section(`restart, by no rule, ${IF_DIFFERENT}`, guarded));
  lines.push(...section('Told besides:', explained.notes));
  lines.push(...section('Wrong with the rules:', problems));
  lines.push('', `  ${LIMITS}`, ...limits.map(({ path, limit }) => `    ${path} ${limit}`));
  return lines.join('\n');
}

const OUTCOME: Record<Explanation['result'], string> = {
  reload: 'reloads in place',
  restart: 'restarts the app',
  ignore: 'is ignored',
};

const IF_DIFFERENT = 'but only if what is imported there turns out different';
const LIMITS =
  'Told from the sources alone, as if backend HMR was on and every module of the project in use.';

function section(title: string, lines: string[]): string[] {
  return lines.length > 0 ? ['', `  ${title}`, ...lines.map((line) => `    ${line}`)] : [];
}

function groupByRule(decisions: DecisionDescription[]): Map<string, DecisionDescription[]> {
  const groups = new Map<string, DecisionDescription[]>();
  for (const decision of decisions) {
    const rule = describeAction(decision.rule);
    groups.set(rule, [...(groups.get(rule) ?? []), decision]);
  }
  return groups;
}

function describeDecision({ chain, others }: DecisionDescription): string[] {
  const later = others.map(
    (other) => `      matches too, but comes later: ${describeAction(other)}`,
  );
  return [`    ${chain.join(' -> ')}`, ...later];
}

function describeAction(rule: RuleDescription): string {
  const { action } = rule;
  const what = action === 'restart' || action === 'ignore' ? action : `reloader ${action}`;
  return `${what}, by ${describeRule(rule)}`;
}
