import { parseAst } from 'vite';

/** Facts about a module that its code alone shows. */
export interface ModuleTraits {
  /**
   * Whether the module only declares: evaluating it calls no code of the project, has no visible effect, and
   * cannot fail by itself. So it does not matter when that happens.
   */
  isInert: boolean;
  /** Exports that are declared by `const`: a primitive one never changes. */
  constants: string[];
}

/** The part of ESTree that is used here. */
interface Node {
  type: string;
  [key: string]: unknown;
}

const UNKNOWN: ModuleTraits = { isInert: false, constants: [] };

/** @param code The output of Vite's SSR transform; any other code counts as not inert. */
export function readTraits(code: string): ModuleTraits {
  let body: Node[];
  try {
    body = parseAst(code).body as unknown as Node[];
  } catch {
    return UNKNOWN;
  }
  const constants = new Set(body.flatMap(constantNames));
  const exported = body.flatMap((statement) => {
    const { name, local } = readExport(statement) ?? {};
    return name !== undefined && local !== undefined && constants.has(local) ? [name] : [];
  });
  return { isInert: body.every(isInertStatement), constants: exported };
}

function constantNames({ type, kind, declarations }: Node): string[] {
  if (type !== 'VariableDeclaration' || kind !== 'const') {
    return [];
  }
  return (declarations as { id: Node }[]).flatMap(({ id }) =>
    id.type === 'Identifier' ? [id.name as string] : [],
  );
}

/** `__vite_ssr_exportName__("name", () => { try { return local } catch {} });` */
function readExport(statement: Node): { name: string; local: string | undefined } | undefined {
  const call = statement.expression as Node | undefined;
  if (statement.type !== 'ExpressionStatement' || !isCallOf(call, '__vite_ssr_exportName__')) {
    return undefined;
  }
  const [name, getter] = call.arguments as [Node, Node];
  const [attempt] = ((getter.body as Node).body ?? []) as Node[];
  const [result] = ((attempt?.block as Node | undefined)?.body ?? []) as Node[];
  const local = result?.argument as Node | undefined;
  return {
    name: String(name.value),
    local: local?.type === 'Identifier' ? (local.name as string) : undefined,
  };
}

function isInertStatement(statement: Node): boolean {
  switch (statement.type) {
    case 'EmptyStatement':
    case 'FunctionDeclaration':
      return true;
    case 'ClassDeclaration':
      return isInertClass(statement);
    case 'VariableDeclaration':
      return (statement.declarations as { id: Node; init: Node | null }[]).every(
        ({ id, init }) => id.type === 'Identifier' && (init === null || isInertValue(init)),
      );
    case 'ExpressionStatement':
      return isInertValue(statement.expression as Node) || readExport(statement) !== undefined;
    default:
      return false;
  }
}

function isInertValue(value: Node): boolean {
  switch (value.type) {
    case 'Literal':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return true;
    case 'TemplateLiteral':
      return (value.expressions as Node[]).length === 0;
    case 'UnaryExpression':
      return isInertValue(value.argument as Node);
    case 'ClassExpression':
      return isInertClass(value);
    case 'ArrayExpression':
      return (value.elements as (Node | null)[]).every(
        (element) => element !== null && isInertValue(element),
      );
    case 'ObjectExpression':
      return (value.properties as Node[]).every(
        ({ type, computed, value }) =>
          type === 'Property' && !computed && isInertValue(value as Node),
      );
    case 'AwaitExpression':
      return isCallOf(value.argument as Node, '__vite_ssr_import__');
    default:
      return false;
  }
}

function isInertClass({ superClass, decorators, body }: Node): boolean {
  return (
    !superClass &&
    ((decorators as Node[] | undefined) ?? []).length === 0 &&
    ((body as Node).body as Node[]).every(
      ({ type, static: isStatic, computed, decorators }) =>
        (type === 'MethodDefinition' || (type === 'PropertyDefinition' && !isStatic)) &&
        !computed &&
        ((decorators as Node[] | undefined) ?? []).length === 0,
    )
  );
}

function isCallOf(node: Node | undefined, name: string): node is Node {
  return node?.type === 'CallExpression' && (node.callee as Node).name === name;
}
