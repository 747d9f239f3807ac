import { describeReason } from '../../protocol/reason.ts';
import type { UpdateResult, UpdateTiming } from '../../protocol/update.ts';
import { relativeToRoot } from '../../shared/paths.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';

/** Messages list up to this many names, and only count more than that; `DEBUG=medusa-vite:reload` lists all. */
const MAX_NAMES = 3;

export function describeUpdate(
  result: Extract<UpdateResult, { type: 'reloaded' | 'restarted' }>,
  root: string,
): string {
  const files = describeFiles(result.files, root);
  const duration = `in ${Math.round(result.ms)} ms`;
  if (result.type === 'reloaded') {
    const { resources } = result;
    const what = resources.length === 0 ? files : `${describeResources(resources)} (${files})`;
    return `reloaded ${what} ${duration}`;
  }
  const chain = result.chain.map((file) => relativeToRoot(root, file));
  const path = chain.length > 1 ? ` (${chain.join(' -> ')})` : '';
  return `restarted: ${describeReason(result.reason)}${path} ${duration}`;
}

/** The stages of an update in their order. */
const STAGES = ['watch', 'plan', 'transform', 'evaluate', 'prepare', 'commit', 'ipc'] as const;

export function describeTiming(timing: UpdateTiming): string {
  const stages = STAGES.map((stage) => `${stage} ${timing[stage].toFixed(1)}`);
  return `timing: ${stages.join(', ')} ms`;
}

function describeResources(resources: string[]): string {
  return resources.length > MAX_NAMES && !isDebugEnabled('reload')
    ? `${resources.length} resources`
    : resources.join(', ');
}

export function describeFiles(files: string[], root: string): string {
  const [first, ...others] = files.map((file) => relativeToRoot(root, file));
  if (first === undefined || others.length === 0) {
    return first ?? 'nothing';
  }
  return isDebugEnabled('reload')
    ? [first, ...others].join(', ')
    : `${first}, +${others.length} ${others.length === 1 ? 'file' : 'files'}`;
}

export function describePlace(error: SerializedError, root: string): string | undefined {
  if (error.file === undefined) {
    return undefined;
  }
  const position = [error.line, error.column].filter((number) => number !== undefined);
  return [relativeToRoot(root, error.file), ...position].join(':');
}

/** Indents the text, so that the eye finds where the error ends. */
export function describeError(error: SerializedError, place: string | undefined): string {
  const { name, message, hint, frame } = error;
  const isNamed = name !== 'Error' && name !== 'MedusaViteError' && !message.startsWith(name);
  const parts = [place, isNamed ? `${name}: ${message}` : message];
  for (let { cause } = error; cause; { cause } = cause) {
    parts.push(`caused by: ${cause.message}`);
  }
  parts.push(hint);
  if (frame !== undefined) {
    parts.push('', frame);
  } else if ((place === undefined && name !== 'MedusaViteError') || isDebugEnabled('reload')) {
    parts.push(stackLines(error));
  }
  return parts
    .filter((part) => part !== undefined)
    .join('\n')
    .replace(/^(?=.)/gm, '  ');
}

/** The message is the headline here, and the place comes below it. */
export function describeWarning(error: SerializedError, place: string | undefined): string {
  const details = [place, error.frame].filter((part) => part !== undefined).join('\n');
  return [error.message, ...(details ? [details.replace(/^(?=.)/gm, '  ')] : [])].join('\n');
}

/** Without a place in the project, the stack is the only clue. */
function stackLines({ stack = '' }: SerializedError): string | undefined {
  const lines = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return lines.length > 0 ? lines.join('\n') : undefined;
}

export function isDebugEnabled(scope: string): boolean {
  const scopes = (process.env.DEBUG ?? '').split(/[\s,]+/);
  return scopes.some((name) => ['*', 'medusa-vite:*', `medusa-vite:${scope}`].includes(name));
}
