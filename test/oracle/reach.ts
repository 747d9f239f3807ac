import type { Code, Model, Route, Via, Workflow } from './model.ts';
import {
  BARREL_FILE,
  dataFile,
  helperFile,
  hookFile,
  jobFile,
  LINK_FILE,
  PACKAGE_BARREL_FILE,
  routeFile,
  SCHEMA_FILE,
  stepFile,
  subscriberFile,
  workflowFile,
} from './paths.ts';

/** The helpers that code uses. References to missing ones do not count, so any subset of a history is valid. */
export function usesOf(model: Model, code: Code): string[] {
  return namesOf(model, code).filter(
    (name) =>
      name in model.helpers &&
      // A pattern does not fail on a missing file.
      !(
        viaOf(model, code, { name }) === 'glob' &&
        model.broken[helperFile(model, name)] === 'missing'
      ),
  );
}

/** The helpers that code names, missing ones included: a pattern names those all the same. */
export function namesOf(model: Model, code: Code): string[] {
  return [...new Set(code.uses)].filter(
    (name) => !isPackaged(code) || isPackaged(model.helpers[name]),
  );
}

/** How a file reaches a helper. `isAsync`: inside of a function that can wait. */
export function viaOf(
  model: Model,
  code: Code,
  { name, isAsync = false }: { name: string; isAsync?: boolean },
): Via {
  if (code.via === 'dynamic') {
    return isAsync && model.hasViteSyntax ? 'dynamic' : 'direct';
  }
  if (code.via === 'glob') {
    const helper = model.helpers[name];
    // A pattern never finds its own file.
    const isOther = helper !== code && !isPackaged(helper) && !isPackaged(code);
    return model.hasViteSyntax && isOther && !code.isScript ? 'glob' : 'direct';
  }
  return code.via;
}

/** Whether a helper is in the linked package, which cannot import from the project. */
export function isPackaged(code: Code | undefined): boolean {
  return code !== undefined && 'folder' in code && code.folder === '@';
}

export function dataOf(model: Model, name: string): { name: string; version: number } | undefined {
  const helper = model.helpers[name];
  const data = isPackaged(helper) ? undefined : model.data[helper?.data ?? ''];
  return data && { name: helper?.data ?? '', version: data.version };
}

/** The workflow whose id this workflow has: its own or, if both have the same steps, that of another one. */
export function idOwnerOf(model: Model, name: string): string {
  const other = model.workflows[name]?.sharesIdOf ?? null;
  return other !== null &&
    isPlain(model, name) &&
    isPlain(model, other) &&
    areAlike(model, [name, other])
    ? other
    : name;
}

/** The first file of an id: Medusa answers with the result of that one. */
export function firstOfId(model: Model, name: string): string {
  const owner = idOwnerOf(model, name);
  const all = Object.keys(model.workflows).sort();
  return all.find((other) => idOwnerOf(model, other) === owner) ?? name;
}

export function workflowId(model: Model, name: string): string {
  return `oracle-${model.workflows[idOwnerOf(model, name)]?.id}`;
}

function isPlain(model: Model, name: string): boolean {
  const workflow = model.workflows[name];
  return workflow !== undefined && !workflow.hasHook && nestedOf(model, name) === null;
}

function areAlike(model: Model, names: string[]): boolean {
  const [first, ...others] = names.map((name) => {
    const workflow = model.workflows[name];
    return workflow && stepsOf(model, workflow).join();
  });
  return others.every((steps) => steps === first);
}

export function stepsOf(model: Model, workflow: Workflow): string[] {
  return [...new Set(workflow.steps)].filter((name) => name in model.steps);
}

export function runsOf(model: Model, route: Route): string | null {
  return route.runs !== null && route.runs in model.workflows ? route.runs : null;
}

/** The nested workflow: only one with a lower number, so that there are no cycles. */
export function nestedOf(model: Model, name: string): string | null {
  const nested = model.workflows[name]?.nested ?? null;
  return nested !== null && nested in model.workflows && nested < name ? nested : null;
}

/** The active hooks: the workflow or `core`, by file. A hook takes one handler, that of the first file. */
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

/** Eager only if the order of evaluation cannot matter: no cycle and no barrel among the helpers below. */
export function isEager(model: Model, name: string): boolean {
  const helper = model.helpers[name];
  if (!helper?.isEager) {
    return false;
  }
  const path: string[] = [];
  const isSafe = (at: string): boolean => {
    const code = model.helpers[at];
    if (!code || path.includes(at) || barrelsOf(model, code).length > 0) {
      return false;
    }
    path.push(at);
    const safe = usesOf(model, code).every(isSafe);
    path.pop();
    return safe;
  };
  return isSafe(name);
}

/** The barrels that code imports: all helpers, or all of the package. */
export function barrelsOf(model: Model, code: Code): string[] {
  if (code.uses.length === 0) {
    return [];
  }
  if (isPackaged(code)) {
    return code.via === 'barrel' || code.via === 'alias' ? [PACKAGE_BARREL_FILE] : [];
  }
  if (code.via === 'barrel') {
    return [BARREL_FILE];
  }
  const isNamed = usesOf(model, code).some((name) => isPackaged(model.helpers[name]));
  return code.via === 'alias' && isNamed ? [PACKAGE_BARREL_FILE] : [];
}

/** Whether an app can run with a state of the files. */
export type Health = 'good' | 'broken' | 'unspecified';

/**
 * Broken: an app could not boot. Unspecified: a file is broken that only a call at run time would load, so a
 * running app may have an older version of it.
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

export interface ReachedFiles {
  /** Files that an app loads at boot. */
  loaded: Set<string>;
  /** Files that dynamic imports load. */
  onDemand: Set<string>;
  /** Files that dynamic imports of scripts load: they look for the file when they run. */
  soughtOnDemand: Set<string>;
}

/** Files of the model that an app loads. */
export function reachedFiles(model: Model): ReachedFiles {
  const loaded = new Set<string>([SCHEMA_FILE]);
  const onDemand = new Set<string>();
  const soughtOnDemand = new Set<string>();

  function addHelper(name: string, files: Set<string>): void {
    const file = helperFile(model, name);
    const helper = model.helpers[name];
    if (files.has(file) || !helper) {
      return;
    }
    files.add(file);
    const data = dataOf(model, name);
    if (data) {
      files.add(dataFile(data.name));
    }
    addUses(helper, files);
  }

  function addUses(code: Code, files: Set<string>): void {
    const uses = usesOf(model, code);
    for (const barrel of uses.length > 0 ? barrelsOf(model, code) : []) {
      if (!files.has(barrel)) {
        files.add(barrel);
        for (const [name, helper] of Object.entries(model.helpers)) {
          if (barrel === BARREL_FILE || isPackaged(helper)) {
            addHelper(name, files);
          }
        }
      }
    }
    for (const name of uses) {
      addHelper(name, files);
    }
  }

  function addResource(file: string, code: Code, canWait: boolean): void {
    loaded.add(file);
    const isOnDemand = code.via === 'dynamic' && canWait && model.hasViteSyntax;
    addUses(code, isOnDemand ? onDemand : loaded);
    for (const name of isOnDemand && code.isScript ? usesOf(model, code) : []) {
      soughtOnDemand.add(helperFile(model, name));
    }
  }

  const active = activeHooks(model);
  for (const [name, code] of Object.entries(model.routes)) {
    addResource(routeFile(model, name), code, true);
  }
  for (const [name, code] of Object.entries(model.steps)) {
    addResource(stepFile(model, name), code, true);
  }
  for (const [name, code] of Object.entries(model.workflows)) {
    addResource(workflowFile(model, name), code, false);
  }
  for (const [name, code] of Object.entries(model.hooks)) {
    addResource(hookFile(model, name), active.has(name) ? code : { ...code, uses: [] }, true);
  }
  for (const [name, code] of Object.entries(model.subscribers)) {
    addResource(subscriberFile(model, name), code, true);
  }
  for (const [name, code] of Object.entries(model.jobs)) {
    addResource(jobFile(model, name), code, true);
  }
  for (const code of [...Object.values(model.middlewares), model.service, model.provider]) {
    addUses(code, loaded);
  }
  // All of the shop's own files are in use.
  for (const file of Object.keys(model.broken)) {
    if (!file.includes('/oracle') || file === LINK_FILE) {
      loaded.add(file);
    }
  }
  return { loaded, onDemand, soughtOnDemand };
}
