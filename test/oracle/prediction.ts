import {
  type Code,
  EVENTS,
  type Hook,
  MIDDLEWARES,
  type Model,
  ROUTES,
  type Step,
} from './model.ts';
import type { HttpAnswer, Probe } from './probe.ts';
import {
  activeHooks,
  dataOf,
  firstOfId,
  isEager,
  nestedOf,
  runsOf,
  stepsOf,
  usesOf,
  workflowId,
} from './reach.ts';

/**
 * The answers that the model's own files must give, as far as their texts tell: a check that is cheap enough
 * for every edit. Fresh apps, which know nothing of the prediction, prove it right.
 */
export function predict(model: Model): Record<string, unknown> {
  const answers: Record<string, unknown> = {};
  for (const name of ROUTES) {
    const route = model.routes[name];
    for (const [area, withToken, key] of [
      ['public', false, `/oracle/${name}`],
      ['admin', false, `/admin/oracle/${name}`],
      ['admin', true, `/admin/oracle/${name} (token)`],
    ] as const) {
      for (const suffix of ['', '/7']) {
        for (const method of area === 'public' ? ['GET', 'POST'] : ['GET']) {
          const at = `${method} ${key.replace(/(?= |$)/, suffix)}`;
          const exists =
            route?.area === area &&
            route.methods.includes(method) &&
            route.hasParameter === (suffix !== '');
          const isRefused = area === 'admin' && !withToken && (!exists || route.isAuthenticated);
          const isInvalid = method === 'POST' && model.schema.minimum > POSTED;
          if (isRefused || !exists || isInvalid) {
            // Only a fresh app can say which of 401, 400 and 404 comes first.
            answers[at] = 'not answered';
            continue;
          }
          const runs = runsOf(model, route);
          answers[at] = {
            text: `${name}.${route.version} ${method}(${textOf(model, route)})`,
            ...(suffix && { id: '7' }),
            ...(runs && { direct: workflowText(model, runs) }),
            headers: headersOf(model, method, key.replace(' (token)', '') + suffix),
          };
        }
      }
    }
  }
  for (const name of Object.keys(model.workflows)) {
    const first = firstOfId(model, name);
    answers[`run ${workflowId(model, name)}`] = {
      result: workflowText(model, first),
      log: workflowLog(model, first),
    };
  }
  // Of several jobs with one name, the job of the last file runs.
  for (const [name, job] of Object.entries(model.jobs).sort()) {
    answers[`run job-${job.name}`] = { log: [`${name}.${job.version}(${textOf(model, job)})`] };
  }
  for (const event of EVENTS) {
    answers[`event ${event}`] = Object.entries(model.subscribers)
      .filter(([, { events }]) => events.includes(event))
      .map(([name, code]) => `${name}.${code.version}(${textOf(model, code)}) ${event}`)
      .sort();
  }
  answers['service.oracle'] = serviceText(model);
  for (const method of model.service.methods) {
    answers[`service.${method}`] = `${method}.${model.service.version}`;
  }
  return answers;
}

/** The value that the probe posts. */
export const POSTED = 5;

/** The part of a probe that `predict` covers, in its form. */
export function predictable(probe: Probe): Record<string, unknown> {
  const answers: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(probe)) {
    if (/^(?:GET|POST) .*\/oracle\//.test(key)) {
      const { status, body, headers } = value as HttpAnswer;
      answers[key] =
        status === 200
          ? {
              ...(body as object),
              headers: Object.fromEntries(
                MIDDLEWARES.flatMap((name) => {
                  const text = headers[`x-oracle-${name}`];
                  return text === undefined ? [] : [[name, text]];
                }),
              ),
            }
          : 'not answered';
    } else if (key.startsWith('run job-')) {
      answers[key] = { log: (value as { log: unknown }).log };
    } else if (/^(?:run|event|service\.)/.test(key)) {
      answers[key] = value;
    }
  }
  return answers;
}

function headersOf(model: Model, method: string, path: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(model.middlewares)
      .filter(
        ([, { matcher, methods }]) =>
          covers(matcher, path, methods !== null) && (methods === null || methods.includes(method)),
      )
      .map(([name, code]) => [name, `${name}.${code.version}(${textOf(model, code)})`]),
  );
}

/** Medusa registers a middleware with methods like a route, for the exact path; without, also for all below it. */
function covers(matcher: string, path: string, isWhole: boolean): boolean {
  if (matcher.endsWith('*')) {
    return path.startsWith(matcher.slice(0, -1));
  }
  return path === matcher || (!isWhole && path.startsWith(`${matcher}/`));
}

function textOf(model: Model, code: Code): string {
  return usesOf(model, code)
    .map((name) => helperText(model, name, []))
    .join(' ');
}

function helperText(model: Model, name: string, seen: string[]): string {
  if (seen.length > 3 || seen.includes(name)) {
    return `${name}~`;
  }
  const helper = model.helpers[name];
  if (!helper) {
    return '';
  }
  const eager = isEager(model, name);
  const next = eager ? [name] : [...seen, name];
  const parts = usesOf(model, helper).map((used) => helperText(model, used, next));
  const data = dataOf(model, name);
  if (data) {
    parts.push(`${data.name}=${data.version}`);
  }
  return `${name}.${helper.version}${eager ? '!' : ''}(${parts.join(' ')})`;
}

function serviceText(model: Model): string {
  return `service.${model.service.version}(${textOf(model, model.service)})`;
}

function stepText(model: Model, name: string, step: Step): string {
  const parts = usesOf(model, step).map((used) => helperText(model, used, []));
  if (step.callsService) {
    parts.push(serviceText(model));
  }
  return `${name}.${step.version}(${parts.join(' ')})`;
}

function workflowText(model: Model, name: string): string {
  const workflow = model.workflows[name];
  if (!workflow) {
    return '';
  }
  const parts = stepsOf(model, workflow).map((step) =>
    stepText(model, step, model.steps[step] as Step),
  );
  const nested = nestedOf(model, name);
  if (nested) {
    parts.push(workflowText(model, nested));
  }
  parts.push(...usesOf(model, workflow).map((used) => helperText(model, used, [])));
  return `${name}.${workflow.version}(${parts.join(' ')})`;
}

function workflowLog(model: Model, name: string): string[] {
  const nested = nestedOf(model, name);
  const log = nested ? workflowLog(model, nested) : [];
  for (const [hook, target] of activeHooks(model)) {
    if (target === name) {
      const code = model.hooks[hook] as Hook;
      log.push(`${hook}.${code.version}(${textOf(model, code)})`);
    }
  }
  return log;
}
