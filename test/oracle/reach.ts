import type { Code, Model, Route, Workflow } from './model.ts';
import {
  BARREL_FILE,
  dataFile,
  helperFile,
  hookFile,
  jobFile,
  LINK_FILE,
  routeFile,
  SCHEMA_FILE,
  stepFile,
  subscriberFile,
  workflowFile,
} from './paths.ts';

/** References to what is not there (any more) count for nothing, so that subsets of a history stay valid. */
export function usesOf(model: Model, code: Code): string[] {
  return [...new Set(code.uses)].filter((name) => name in model.helpers);
}

export function stepsOf(model: Model, workflow: Workflow): string[] {
  return [...new Set(workflow.steps)].filter((name) => name in model.steps);
}

export function runsOf(model: Model, route: Route): string | null {
  return route.runs !== null && route.runs in model.workflows ? route.runs : null;
}

/** Only workflows with a lower number, so that there are no cycles. */
export function nestedOf(model: Model, name: string): string | null {
  const nested = model.workflows[name]?.nested ?? null;
  return nested !== null && nested in model.workflows && nested < name ? nested : null;
}

/** A hook takes one handler: the first file gets it. By file, the workflow or `core`. */
export function activeHooks(model: Model): Map<string, string> {
  const taken = new Set<string>();
  const active = new Map<string, string>();
  for (const [name, { target }] of Object.entries(model.hooks).sort()) {
    const exists = target === 'core' || model.workflows[target]?.hasHook === true;
    if (exists && !taken.has(target)) {
      taken.add(target);
      active.set(name, target);
    }
  }
  return active;
}

/** Only where the order of evaluation cannot matter: nothing below may come back, or go over the barrel. */
export function isEager(model: Model, name: string): boolean {
  const helper = model.helpers[name];
  if (!helper?.isEager) {
    return false;
  }
  const path: string[] = [];
  const isSafe = (at: string): boolean => {
    const code = model.helpers[at];
    if (!code || path.includes(at) || (code.via === 'barrel' && code.uses.length > 0)) {
      return false;
    }
    path.push(at);
    const safe = usesOf(model, code).every(isSafe);
    path.pop();
    return safe;
  };
  return isSafe(name);
}

/** What a state of the files means to the app. */
export type Health = 'good' | 'broken' | 'unspecified';

/**
 * Broken: an app could not boot with it. Unspecified: something is broken that only a call at run time
 * would load, so a running app may know an older version of it.
 */
export function healthOf(model: Model): Health {
  const broken = Object.keys(model.broken);
  if (broken.length === 0) {
    return 'good';
  }
  const { loaded, onDemand } = reachedFiles(model);
  if (broken.some((file) => loaded.has(file))) {
    return 'broken';
  }
  return broken.some((file) => onDemand.has(file)) ? 'unspecified' : 'good';
}

/** Files of the model that are loaded at boot, and those that only dynamic imports load. */
export function reachedFiles(model: Model): { loaded: Set<string>; onDemand: Set<string> } {
  const loaded = new Set<string>([SCHEMA_FILE]);
  const onDemand = new Set<string>();

  function addHelper(name: string, files: Set<string>): void {
    const file = helperFile(model, name);
    const helper = model.helpers[name];
    if (files.has(file) || !helper) {
      return;
    }
    files.add(file);
    if (helper.data !== null && helper.data in model.data) {
      files.add(dataFile(helper.data));
    }
    addUses(helper, files);
  }

  function addUses(code: Code, files: Set<string>): void {
    const uses = usesOf(model, code);
    if (code.via === 'barrel' && uses.length > 0 && !files.has(BARREL_FILE)) {
      files.add(BARREL_FILE);
      for (const name of Object.keys(model.helpers)) {
        addHelper(name, files);
      }
    }
    for (const name of uses) {
      addHelper(name, files);
    }
  }

  function addResource(file: string, code: Code, canWait: boolean): void {
    loaded.add(file);
    addUses(code, code.via === 'dynamic' && canWait && model.hasDynamicImports ? onDemand : loaded);
  }

  const active = activeHooks(model);
  for (const [name, code] of Object.entries(model.routes)) {
    addResource(routeFile(model, name), code, true);
  }
  for (const [name, code] of Object.entries(model.steps)) {
    addResource(stepFile(name), code, true);
  }
  for (const [name, code] of Object.entries(model.workflows)) {
    addResource(workflowFile(name), code, false);
  }
  for (const [name, code] of Object.entries(model.hooks)) {
    addResource(hookFile(name), active.has(name) ? code : { ...code, uses: [] }, true);
  }
  for (const [name, code] of Object.entries(model.subscribers)) {
    addResource(subscriberFile(name), code, true);
  }
  for (const [name, code] of Object.entries(model.jobs)) {
    addResource(jobFile(name), code, true);
  }
  for (const code of [...Object.values(model.middlewares), model.service, model.provider]) {
    addUses(code, loaded);
  }
  // The shop's own files are all in use.
  for (const file of Object.keys(model.broken)) {
    if (!file.includes('/oracle') || file === LINK_FILE) {
      loaded.add(file);
    }
  }
  return { loaded, onDemand };
}
