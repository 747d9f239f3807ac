import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createProject, type Project } from '../test/e2e/support/project.ts';

/** A project with a given number of backend files, all of which import one helper. */
export interface GeneratedProject {
  project: Project;
  files: number;
  routes: number;
  workflows: number;
  modules: number;
  /** The file of a route, and the path at which it answers. */
  route(index: number): { file: string; path: string };
}

/** The helper that every file imports. */
export const HUB = 'src/lib/hub.ts';

const FILES_PER_MODULE = 2;
/** More custom modules than this are rare, however large a project is. */
const MAX_MODULES = 20;
const FILES_PER_FOLDER = 50;
/** One in this many routes runs a workflow. */
const RUNS_WORKFLOW = 4;

export function generateProject(files: number): GeneratedProject {
  const modules = Math.min(MAX_MODULES, Math.ceil(files / 50));
  const workflows = Math.floor(files / 5);
  const routes = files - 1 - workflows - modules * FILES_PER_MODULE;
  const project = createProject();
  for (const shops of ['src', 'config', 'instrumentation.ts']) {
    rmSync(join(project.root, shops), { recursive: true });
  }
  const put = (file: string, source: string) => {
    mkdirSync(dirname(join(project.root, file)), { recursive: true });
    writeFileSync(join(project.root, file), source);
  };
  const route = (index: number) => {
    const path = `/generated/${Math.floor(index / FILES_PER_FOLDER)}/${index}`;
    return { file: `src/api${path}/route.ts`, path };
  };

  put('medusa-config.ts', configSource(modules));
  put(HUB, "export const hub = (): string => 'v1';\n");
  for (let index = 0; index < modules; index++) {
    put(`src/modules/generated-${index}/index.ts`, moduleSource(index));
    put(`src/modules/generated-${index}/service.ts`, serviceSource(index));
  }
  for (let index = 0; index < workflows; index++) {
    put(`src/workflows/generated-${index}.ts`, workflowSource(index));
  }
  for (let index = 0; index < routes; index++) {
    const workflow = index % RUNS_WORKFLOW === 0 ? index % workflows : undefined;
    put(route(index).file, routeSource(index, workflow));
  }
  return { project, files, routes, workflows, modules, route };
}

function configSource(modules: number): string {
  const resolved = Array.from({ length: modules }, (_, index) => {
    return `    { resolve: './src/modules/generated-${index}' },`;
  });
  return `import { defineConfig } from '@medusajs/framework/utils';

module.exports = defineConfig({
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    http: {
      storeCors: 'http://localhost:8000',
      adminCors: 'http://localhost:9000',
      authCors: 'http://localhost:9000',
      jwtSecret: 'supersecret',
      cookieSecret: 'supersecret',
    },
  },
  modules: [
${resolved.join('\n')}
  ],
});
`;
}

function moduleSource(index: number): string {
  return `import { Module } from '@medusajs/framework/utils';
import GeneratedService from './service';

export const GENERATED_MODULE = 'generated${index}';

export default Module(GENERATED_MODULE, { service: GeneratedService });
`;
}

function serviceSource(index: number): string {
  return `import { hub } from '../../lib/hub';

export default class GeneratedService {
  label(name: string): string {
    return [hub(), 'service ${index}', name].join(' ');
  }
}
`;
}

function workflowSource(index: number): string {
  return `import {
  createStep,
  createWorkflow,
  StepResponse,
  transform,
  WorkflowResponse,
} from '@medusajs/framework/workflows-sdk';
import { hub } from '../lib/hub';

export interface GeneratedInput {
  name: string;
}

const sayStep = createStep('generated-step-${index}', async ({ name }: GeneratedInput) => {
  return new StepResponse([hub(), name].join(' '));
});

export const generatedWorkflow = createWorkflow('generated-${index}', (input: GeneratedInput) => {
  const said = sayStep(input);
  const answer = transform({ said }, ({ said }) => said.toUpperCase());

  return new WorkflowResponse({ answer });
});
`;
}

function routeSource(index: number, workflow: number | undefined): string {
  const answer = `route: ${index}, leaf: 'v1', hub: hub()`;
  if (workflow === undefined) {
    return `import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { hub } from '../../../../lib/hub';

interface Query {
  take?: string;
  skip?: string;
}

function pageOf({ take = '20', skip = '0' }: Query): { take: number; skip: number } {
  return { take: Number(take), skip: Number(skip) };
}

export async function GET(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const page = pageOf(req.query as Query);
  res.json({ ${answer}, page });
}
`;
  }
  return `import type { MedusaRequest, MedusaResponse } from '@medusajs/framework/http';
import { hub } from '../../../../lib/hub';
import { generatedWorkflow } from '../../../../workflows/generated-${workflow}';

export async function GET(_req: MedusaRequest, res: MedusaResponse): Promise<void> {
  res.json({ ${answer} });
}

export async function POST(req: MedusaRequest, res: MedusaResponse): Promise<void> {
  const { result } = await generatedWorkflow(req.scope).run({ input: { name: 'generated' } });
  res.json(result);
}
`;
}
